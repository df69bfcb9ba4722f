/// A deliberate defect of the engine, one at a time, for Faultline to find. Never reachable from a store that a user
/// opens: only targets plant them.
package enum PlantedBug: String, CaseIterable, Sendable {
    case ackBeforeSync = "ack-before-sync"
    case neverSync = "never-sync"
    case directoryUnsynced = "directory-unsynced"
    case compactionDropsNewest = "compaction-drops-newest"
    case checksumUnchecked = "checksum-unchecked"

    /// One line for people: what the engine does wrong.
    package var summary: String {
        switch self {
        case .ackBeforeSync: "sync returns before the data is durable: the real sync happens only with the next write"
        case .neverSync: "sync writes the data out and never syncs the file"
        case .directoryUnsynced: "a new segment's name is not made durable: the directory is never synced"
        case .compactionDropsNewest: "compaction forgets the newest of the records that it should copy"
        case .checksumUnchecked: "recovery does not look at the checksum of a record"
        }
    }

    /// The name under which a target is started with it.
    package var name: String { rawValue }
}
