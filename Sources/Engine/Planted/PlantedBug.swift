/// A deliberate defect of the engine, one at a time, for Faultline to find. Never reachable from a store that a user
/// opens: only targets plant them.
///
/// To add one: a case, its entry in the table below, and its sighting (`PlantedBug.sightings`), which says what finds it.
/// One that skips a step which nothing skips yet needs that step in `EngineStep`, too.
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

    /// The table: where the bug lives, what it hooks into, and one line for people about what the engine does wrong.
    private var entry: Entry {
        switch self {
        case .ackBeforeSync:
            Entry(
                .log, .storage(.syncsLate),
                "sync returns before the data is durable: the real sync comes with the next write")
        case .neverSync: Entry(.log, .storage(.skips(.sync)), "sync writes the data out and never syncs the file")
        case .directoryUnsynced:
            Entry(
                .log, .storage(.skips(.syncDirectory)),
                "a new segment's name is not made durable: the directory is never synced")
        case .rotationUnsynced: Entry(.log, .step(.syncSealedSegment), "a full segment is left behind without a sync")
        case .poisonIgnored:
            Entry(
                .log, .step(.poisonAfterFailedSync),
                "after a failed sync the writer goes on, as if the next sync made up for it")
        case .tailUncut:
            Entry(.log, .step(.cutTail), "recovery leaves what stands behind a torn record in its place")
        case .tailTrusted:
            Entry(
                .log, .step(.rewriteTail),
                "recovery does not write again what it read, which after a failed sync no disk holds")
        case .checksumUnchecked:
            Entry(.log, .step(.verifyRecordChecksum), "recovery does not look at the checksum of a record")
        case .deleteUnlogged: Entry(.keyValue, .step(.logDelete), "a delete changes the memory alone")
        case .batchSplit:
            Entry(
                .keyValue, .step(.writeBatchAtOnce),
                "a batch is written record by record, with a sync in the middle")
        case .compactionDropsNewest:
            Entry(
                .keyValue, .step(.copyNewestRecord),
                "compaction forgets the newest of the records that it should copy")
        case .compactionUnsynced:
            Entry(
                .keyValue, .step(.syncCopies),
                "compaction removes the old segments before their copies are durable")
        case .duplicateHashWeak:
            Entry(
                .events, .step(.compareWholeHash),
                "12 bits of the entity's checksum decide whether an event is a duplicate")
        case .duplicateEarly:
            Entry(
                .events, .step(.awaitOriginal),
                "a duplicate is acknowledged while its original is still being written")
        case .windowForgotten:
            Entry(.events, .step(.replayWindow), "a reopen forgets the events of the duplicate window")
        case .windowTruncated:
            Entry(
                .events, .step(.keepEventsOfWindow),
                "a truncation removes events that the duplicate window needs after a reopen")
        case .checkpointAhead:
            Entry(
                .events, .step(.limitCheckpointToDurable),
                "a checkpoint covers the event after the last durable one")
        case .checkpointUnsynced:
            Entry(.events, .step(.syncCheckpoint), "a checkpoint returns before it is durable")
        case .truncationTooFar:
            Entry(
                .events, .step(.limitTruncationToCheckpoint),
                "a truncation removes segments behind the checkpoint, too")
        case .replayInclusive:
            Entry(
                .events, .step(.replayAfterCheckpoint),
                "a replay begins with the checkpoint's event and not after it")
        case .segmentRecycled:
            Entry(
                .log, .step(.beginSegmentEmpty),
                "a new segment takes over a file of old records, and recovery reads what it finds behind the new")
        case .batchUncommitted:
            Entry(
                .keyValue, .step(.awaitBatchCommit),
                "recovery applies the parts of a batch without waiting for its commit")
        case .lastRecordDropped:
            Entry(.log, .step(.takeLastRecord), "recovery takes the last whole record for a torn one")
        case .truncationNewestFirst:
            Entry(
                .log, .step(.truncateOldestFirst),
                "segments are removed from the newest to the oldest: a crash leaves a gap")
        case .readUnchecked:
            Entry(
                .keyValue, .step(.verifyValueChecksum), "a value is handed out without a look at its checksum")
        case .deleteUnsynced:
            Entry(.keyValue, .step(.syncDelete), "a sync that follows a delete returns at once")
        case .followerEarly:
            Entry(
                .log, .step(.awaitOwnSync), "a thread that finds a sync under way takes its end for its own")
        case .tailRewritten:
            Entry(
                .log, .step(.keepTailUntilRewritten),
                "recovery empties the last segment before it writes again what it read there")
        case .numberReused:
            Entry(
                .log, .step(.countLastRecord),
                "the first record after a recovery gets the number of the last one before it")
        }
    }

    /// Whose engine has the bug.
    enum View {
        case keyValue
        case events
        /// The log is beneath both.
        case log
    }

    /// What a bug changes.
    enum Hook {
        /// A step of the engine is skipped.
        case step(EngineStep)
        /// The storage beneath the engine does something else.
        case storage(PlantedStorage)
    }

    private struct Entry {
        let view: View
        let hook: Hook
        let summary: String

        init(_ view: View, _ hook: Hook, _ summary: String) {
            (self.view, self.hook, self.summary) = (view, hook, summary)
        }
    }

    /// The name under which a target is started with it.
    package var name: String { rawValue }

    /// One line for people: what the engine does wrong.
    package var summary: String { entry.summary }

    var hook: Hook { entry.hook }

    /// The hooks with which an engine has the bug.
    package var hooks: SkippedStep {
        if case .step(let step) = hook { SkippedStep(skipped: step) } else { SkippedStep(skipped: nil) }
    }

    /// What a target of the key-value view can plant.
    package static let ofStores = allCases.filter { $0.entry.view != .events }

    /// What a target of the event view can plant.
    package static let ofEvents = allCases.filter { $0.entry.view != .keyValue }
}
