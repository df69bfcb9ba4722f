/// The timeline of a finding for the page's script: files as lanes, operations as marks, barriers as walls.
///
/// An operation is in the lane of the file or directory whose sync makes it durable: a new name in its directory's.
struct HTMLTimeline: Encodable {
    struct Lane: Encodable {
        enum Kind: String, Encodable { case oracle, faults, file, directory, others }

        var name: String
        var kind: Kind
    }

    struct Mark: Encodable {
        enum Kind: String, Encodable { case data, name, size, attribute, sync, oracle, fault }

        /// The crash point right after it.
        var event: Int
        var lane: Int
        var kind: Kind
        var text: String
        /// The fate in the story; for an unsynced operation each state has its own.
        var fate: String
        var offset: UInt64?
        var bytes: UInt64?
        var size: UInt64?
        var process: Int32?
        var operation: UInt64?
        /// The index of the wall that made it durable.
        var wall: Int?
    }

    /// A completed barrier and the operations that it made durable.
    struct Wall: Encodable {
        /// The index of the mark that it precedes.
        var at: Int
        /// The barrier.
        var mark: Int
        /// The operations that it made durable.
        var covers: [Int]
    }

    struct State: Encodable {
        var id: String
        /// By operation: `lost`, `torn` or `survived`.
        var fates: [String: String]
        /// By operation: its lost part.
        var notes: [String: String]
        /// Whether recovery keeps the promise that the failing state breaks.
        var passes: Bool
    }

    /// The id of its section.
    var id: String
    var lanes: [Lane]
    var marks: [Mark]
    var walls: [Wall]
    var states: [State]
    /// The number of hidden events before the first mark.
    var skippedEvents: Int
    /// Whether the process was killed, so that no sync matters.
    var isKill: Bool
    /// How it ends: `power cut after event 47`.
    var ending: String
}
