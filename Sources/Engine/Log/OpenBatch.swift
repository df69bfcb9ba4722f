import Bytes

/// The batch whose parts are being read. It is valid only with its commit.
struct OpenBatch {
    /// The number of parts since the batch began; 0 if no batch is open.
    private(set) var count = 0

    var isClosed: Bool { count == 0 }

    /// False if the record is not allowed here: parts without a commit, or a commit that does not match.
    @inline(__always)
    mutating func take(_ frame: Frame) -> Bool {
        switch frame.type {
        case .batchPut, .batchDelete:
            count += 1
            return true
        case .batchCommit:
            guard count > 0, frame.payload.count == Self.commitPayloadSizeBytes,
                frame.payload.littleEndian(UInt32.self, at: 0) == UInt32(count)
            else { return false }
            count = 0
            return true
        default:
            return count == 0
        }
    }

    /// A commit stores the number of its parts.
    static let commitPayloadSizeBytes = 4

    static func commitPayload(count: Int) -> [UInt8] {
        var payload: [UInt8] = []
        payload.appendLittleEndian(UInt32(count))
        return payload
    }
}
