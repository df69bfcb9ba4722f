/// The type of a record. The raw values are part of the file format (docs/log-format.md) and never change.
public enum RecordType: UInt8, Hashable, Sendable, CaseIterable {
    /// The segment header, the first frame of every segment. Its LSN field is that of the next record.
    case segment = 1
    /// Bytes that no view interprets.
    case raw = 2
    case put = 3
    case delete = 4
    /// Parts of a batch. They are valid only if the commit follows the last of them without a gap.
    case batchPut = 5
    case batchDelete = 6
    case batchCommit = 7
    /// An event of the event view: the key is its entity.
    case event = 8
    /// A checkpoint of the event view: how far the events are applied.
    case checkpoint = 9
    /// The close mark: all earlier records were durable when it was written. Like the segment header it has no LSN of its
    /// own, and the next record overwrites it. Since version 2.
    case close = 10

    var isBatchPart: Bool { self == .batchPut || self == .batchDelete }
}
