/// The last segment as a walk found it.
struct LogTail {
    var name: SegmentName
    /// Nil for a segment that was being created when the crash came, and for one whose header is damaged.
    var header: SegmentHeader?
    /// Where its last whole record ends.
    var endBytes: UInt64
    /// Where what is to be dropped begins, and how much that is up to the last byte that is not zero.
    var droppedOffsetBytes: UInt64
    var droppedBytes: UInt64
    var ending: LogEnding
    /// Whether the file is shorter than it was while the segment was written: the log was closed, its next segment begun, or
    /// it was being opened.
    var isShort = false

    /// Whether everything up to `endBytes` is known to be durable: only the mark of a close says so.
    var isDurable: Bool { ending == .closed && header?.version != 1 }

    /// Whether what is dropped may have been acknowledged. It is set aside first.
    var mayHoldAcknowledged: Bool {
        switch ending {
        case .damaged, .undecidable: true
        // A close leaves nothing torn. A crash while a log was being opened may, and costs a file too many.
        case .torn: isShort
        case .closed, .open, .blank, .cutShort: false
        }
    }
}
