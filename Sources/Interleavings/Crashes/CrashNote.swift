import Bytes

/// What a thread says of its progress. Each note is an event of the trace, so that every crash point knows which were made.
enum CrashNote: Hashable, Sendable {
    /// The call that makes it durable has returned.
    case durable(Entry)
    /// The thread is about to remove everything after this LSN.
    case truncatesAfter(UInt64)
    /// The thread is about to free what comes before this LSN.
    case truncatesBefore(UInt64)
}

/// Something that a store holds: a record of a log, a key with its value, an event.
struct Entry: Hashable, Sendable, CustomStringConvertible {
    /// The LSN or the sequence number; 0 where there is none.
    var number: UInt64
    var content: String

    var description: String { number == 0 ? "'\(content)'" : "'\(content)' (number \(number))" }
}

extension CrashNote: CustomStringConvertible {
    var description: String {
        switch self {
        case .durable(let entry): "acknowledges \(entry)"
        case .truncatesAfter(let number): "begins to truncate after \(number)"
        case .truncatesBefore(let number): "begins to truncate before \(number)"
        }
    }
}
