import Bytes

/// The first frame of a segment: it says which segment this is and which LSN comes first in it, so that a segment whose
/// predecessor lost records is found out, and so that an empty log still knows where to go on.
package struct SegmentHeader: Equatable {
    var name: SegmentName
    /// The LSN of the first record in the segment, written or not.
    var baseLSN: UInt64
    /// The format of this segment: each of its frames has it.
    var version = Frame.version
    /// How much space was reserved for the segment, at least: its file is no shorter until it is sealed or closed. 0 says
    /// nothing.
    var reservedPages: UInt16 = 0

    static let pageSizeBytes = 4096
    var reservedBytes: UInt64 { UInt64(reservedPages) * UInt64(Self.pageSizeBytes) }

    /// LSNs that a log can reach. What lies beyond is damage; it also keeps arithmetic with them from overflowing.
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

    /// Of a segment for which `sizeBytes` are reserved.
    init(name: SegmentName, baseLSN: UInt64, sizeBytes: Int) {
        self.init(name: name, baseLSN: baseLSN)
        reservedPages = UInt16(clamping: sizeBytes / Self.pageSizeBytes)
    }

    /// Nil when the frame is no header; `version` is that of the frame.
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
