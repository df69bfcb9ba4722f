/// The timeline of a finding, as the script draws it: files as lanes, operations as marks, barriers as walls.
///
/// The lane of an operation is the file or directory that has to be synced for it: of a new name, its directory.
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
        /// As in the story; of an unsynced operation each state says its own.
        var fate: String
        var offset: UInt64?
        var bytes: UInt64?
        var size: UInt64?
        var process: Int32?
        var operation: UInt64?
        /// The wall that made it durable.
        var wall: Int?
    }

    /// A barrier that returned, and what it made durable.
    struct Wall: Encodable {
        /// It stands before the mark with this number.
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
        /// By operation: what of it is lost.
        var notes: [String: String]
    }

    /// Of the section that it belongs to.
    var id: String
    var lanes: [Lane]
    var marks: [Mark]
    var walls: [Wall]
    var states: [State]
    /// Events before the first mark that are not shown.
    var skippedEvents: Int
    /// What ends it: `power cut after event 47`.
    var ending: String
}
