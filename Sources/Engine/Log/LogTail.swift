/// The last segment of a walk.
struct LogTail {
    var name: SegmentName
    /// nil for a segment that was not completely created, and for one with a damaged header.
    var header: SegmentHeader?
    /// The end of its last whole record.
    var endBytes: UInt64
    /// The offset of the bytes to drop, and their number up to the last byte that is not zero.
    var droppedOffsetBytes: UInt64
    var droppedBytes: UInt64
    var ending: LogEnding
    /// Whether the file is shorter than the reserved space: the log was closed, its next segment begun, or it was being
    /// opened.
    var isShort = false

    /// Whether everything up to `endBytes` is known to be durable, which only a close mark shows.
    var isDurable: Bool { ending == .closed && header?.version != 1 }

    /// Whether the dropped bytes may have been acknowledged. If so, they are set aside first.
    var mayHoldAcknowledged: Bool {
        switch ending {
        case .damaged, .undecidable: true
        // A closed log has no torn tail. After a crash during opening this may create an unnecessary file.
        case .torn: isShort
        case .closed, .open, .blank, .cutShort: false
        }
    }
}
