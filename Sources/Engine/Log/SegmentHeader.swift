import Bytes

/// The header of a segment, its first frame. It holds the number of the segment and its first LSN, so that records lost from
/// the previous segment are detected, and an empty log knows its next LSN.
package struct SegmentHeader: Equatable {
    var name: SegmentName
    /// The LSN of the first record in the segment, written or not.
    var baseLSN: UInt64
    /// The format version of all frames in the segment.
    var version = Frame.version
    /// The minimum reserved size: the file is no shorter until the segment is sealed or closed. 0 means unknown.
    var reservedPages: UInt16 = 0

    static let pageSizeBytes = 4096
    var reservedBytes: UInt64 { UInt64(reservedPages) * UInt64(Self.pageSizeBytes) }

    /// The LSNs that a log can reach. A larger LSN is damage. The limit also prevents overflow.
    package static let lsns: Range<UInt64> = 1..<1 << 62

    static let payloadSizeBytes = 8
    static let sizeBytes = Frame.overheadBytes + payloadSizeBytes

    var encoded: [UInt8] {
        var payload: [UInt8] = []
        payload.appendLittleEndian(UInt32(name.shard))
        payload.appendLittleEndian(name.sequence)
        return Frame.encoded(.segment, lsn: baseLSN, unsyncedCount: reservedPages, at: 0, payload: payload)
    }

    init(name: SegmentName, baseLSN: UInt64) {
        self.name = name
        self.baseLSN = baseLSN
    }

    /// The header of a segment with `sizeBytes` reserved.
    init(name: SegmentName, baseLSN: UInt64, sizeBytes: Int) {
        self.init(name: name, baseLSN: baseLSN)
        reservedPages = UInt16(clamping: sizeBytes / Self.pageSizeBytes)
    }

    /// nil if the frame is not a header. `version` is that of the frame.
    init?(_ frame: Frame, version: UInt8?) {
        guard frame.type == .segment, frame.key.isEmpty, frame.payload.count == Self.payloadSizeBytes,
            let shard = UInt16(exactly: frame.payload.littleEndian(UInt32.self, at: 0)),
            Self.lsns.contains(frame.lsn)
        else { return nil }
        name = SegmentName(shard: shard, sequence: frame.payload.littleEndian(at: 4))
        baseLSN = frame.lsn
        self.version = version ?? Frame.version
        reservedPages = self.version == 1 ? 0 : frame.unsyncedCount
    }
}
