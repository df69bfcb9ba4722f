/// A deliberate defect of the engine, one at a time, for Faultline to find. Never reachable from a store that a user
/// opens: only targets plant them.
package enum PlantedBug: String, CaseIterable, Sendable {
    case ackBeforeSync = "ack-before-sync"
    case neverSync = "never-sync"
    case directoryUnsynced = "directory-unsynced"
    case rotationUnsynced = "rotation-unsynced"
    case poisonIgnored = "poison-ignored"
    case tailUncut = "tail-uncut"
    case tailTrusted = "tail-trusted"
    case checksumUnchecked = "checksum-unchecked"
    case deleteUnlogged = "delete-unlogged"
    case batchSplit = "batch-split"
    case compactionDropsNewest = "compaction-drops-newest"
    case compactionUnsynced = "compaction-unsynced"
    case duplicateHashWeak = "duplicate-hash-weak"
    case duplicateEarly = "duplicate-early"
    case windowForgotten = "window-forgotten"
    case windowTruncated = "window-truncated"
    case checkpointAhead = "checkpoint-ahead"
    case checkpointUnsynced = "checkpoint-unsynced"
    case truncationTooFar = "truncation-too-far"
    case replayInclusive = "replay-inclusive"
    case segmentRecycled = "segment-recycled"
    case batchUncommitted = "batch-uncommitted"
    case lastRecordDropped = "last-record-dropped"
    case truncationNewestFirst = "truncation-newest-first"
    case readUnchecked = "read-unchecked"
    case deleteUnsynced = "delete-unsynced"
    case followerEarly = "follower-early"
    case tailRewritten = "tail-rewritten"
    case numberReused = "number-reused"

    /// The name under which a target is started with it.
    package var name: String { rawValue }

    /// Those of the event view alone.
    private static let inEvents: Set<PlantedBug> = [
        .duplicateHashWeak, .duplicateEarly, .windowForgotten, .windowTruncated, .checkpointAhead,
        .checkpointUnsynced, .truncationTooFar, .replayInclusive,
    ]

    /// Those of the log and of storage, which every view has.
    private static let inEveryView: Set<PlantedBug> = [
        .ackBeforeSync, .neverSync, .directoryUnsynced, .rotationUnsynced, .poisonIgnored, .tailUncut, .tailTrusted,
        .checksumUnchecked, .lastRecordDropped, .segmentRecycled, .truncationNewestFirst, .followerEarly,
        .tailRewritten, .numberReused,
    ]

    /// What a target of the key-value view can plant.
    package static let ofStores = allCases.filter { !inEvents.contains($0) }

    /// What a target of the event view can plant.
    package static let ofEvents = allCases.filter { inEvents.contains($0) || inEveryView.contains($0) }

    /// One line for people: what the engine does wrong.
    package var summary: String {
        switch self {
        case .ackBeforeSync: "sync returns before the data is durable: the real sync comes with the next write"
        case .neverSync: "sync writes the data out and never syncs the file"
        case .directoryUnsynced: "a new segment's name is not made durable: the directory is never synced"
        case .rotationUnsynced: "a full segment is left behind without a sync"
        case .poisonIgnored: "after a failed sync the writer goes on, as if the next sync made up for it"
        case .tailUncut: "recovery leaves what stands behind a torn record in its place"
        case .tailTrusted: "recovery does not write again what it read, which after a failed sync no disk holds"
        case .checksumUnchecked: "recovery does not look at the checksum of a record"
        case .deleteUnlogged: "a delete changes the memory alone"
        case .batchSplit: "a batch is written record by record, with a sync in the middle"
        case .compactionDropsNewest: "compaction forgets the newest of the records that it should copy"
        case .compactionUnsynced: "compaction removes the old segments before their copies are durable"
        case .duplicateHashWeak: "12 bits of the entity's checksum decide whether an event is a duplicate"
        case .duplicateEarly: "a duplicate is acknowledged while its original is still being written"
        case .windowForgotten: "a reopen forgets the events of the duplicate window"
        case .windowTruncated: "a truncation removes events that the duplicate window needs after a reopen"
        case .checkpointAhead: "a checkpoint covers the event after the last durable one"
        case .checkpointUnsynced: "a checkpoint returns before it is durable"
        case .truncationTooFar: "a truncation removes segments behind the checkpoint, too"
        case .segmentRecycled:
            "a new segment takes over a file of old records, and recovery reads what it finds behind the new"
        case .batchUncommitted: "recovery applies the parts of a batch without waiting for its commit"
        case .lastRecordDropped: "recovery takes the last whole record for a torn one"
        case .truncationNewestFirst: "segments are removed from the newest to the oldest: a crash leaves a gap"
        case .readUnchecked: "a value is handed out without a look at its checksum"
        case .deleteUnsynced: "a sync that follows a delete returns at once"
        case .followerEarly: "a thread that finds a sync under way takes its end for its own"
        case .tailRewritten: "recovery empties the last segment before it writes again what it read there"
        case .numberReused: "the first record after a recovery gets the number of the last one before it"
        case .replayInclusive: "a replay begins with the checkpoint's event and not after it"
        }
    }
}
