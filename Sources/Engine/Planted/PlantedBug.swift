/// A planted bug: a deliberate defect of the engine that Faultline must find. A store that a user opens never has one; only
/// targets plant them, one at a time.
///
/// To add one: a case, its entry in the table below, and its sighting (`PlantedBug.sightings`), which tells what finds it. A
/// bug that skips a new step also needs that step in `EngineStep`.
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
    case wakeupLost = "wakeup-lost"
    case numberDoubled = "number-doubled"
    case descriptorLeaked = "descriptor-leaked"
    case memoryLeaked = "memory-leaked"

    /// The table: the layer of the bug, its hook, and one line for people about the wrong behaviour.
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
                "after a failed sync the writer continues, as if the next sync covered the lost data")
        case .tailUncut:
            Entry(.log, .step(.cutTail), "recovery does not remove the bytes after a torn record")
        case .tailTrusted:
            Entry(
                .log, .step(.rewriteTail),
                "recovery does not rewrite the records that it read, which after a failed sync are not on disk")
        case .checksumUnchecked:
            Entry(.log, .step(.verifyRecordChecksum), "recovery does not verify the checksum of a record")
        case .deleteUnlogged: Entry(.keyValue, .step(.logDelete), "a delete changes only the memory")
        case .batchSplit:
            Entry(
                .keyValue, .step(.writeBatchAtOnce),
                "a batch is written record by record, with a sync in the middle")
        case .compactionDropsNewest:
            Entry(
                .keyValue, .step(.copyNewestRecord),
                "compaction does not copy the newest live record")
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
                "a truncation also removes segments after the checkpoint")
        case .replayInclusive:
            Entry(
                .events, .step(.replayAfterCheckpoint),
                "a replay begins with the checkpoint's event instead of the next one")
        case .segmentRecycled:
            Entry(
                .log, .step(.beginSegmentEmpty),
                "a new segment reuses a file with old records, and recovery reads those after the new ones")
        case .batchUncommitted:
            Entry(
                .keyValue, .step(.awaitBatchCommit),
                "recovery applies the parts of a batch without waiting for its commit")
        case .lastRecordDropped:
            Entry(.log, .step(.takeLastRecord), "recovery drops the last whole record as if it were torn")
        case .truncationNewestFirst:
            Entry(
                .log, .step(.truncateOldestFirst),
                "segments are removed from the newest to the oldest: a crash leaves a gap")
        case .readUnchecked:
            Entry(
                .keyValue, .step(.verifyValueChecksum), "a value is returned without a check of its checksum")
        case .deleteUnsynced:
            Entry(.keyValue, .step(.syncDelete), "a sync that follows a delete returns at once")
        case .followerEarly:
            Entry(
                .log, .step(.awaitOwnSync), "a thread waits for a running sync that does not cover its record")
        case .tailRewritten:
            Entry(
                .log, .step(.keepTailUntilRewritten),
                "recovery empties the last segment before it rewrites the records that it read there")
        case .numberReused:
            Entry(
                .log, .step(.countLastRecord),
                "the first record after a recovery gets the LSN of the last one before it")
        case .wakeupLost:
            Entry(
                .log, .step(.wakeNextLeader),
                "the thread that ends a sync does not wake one whose record the sync did not cover")
        case .descriptorLeaked:
            Entry(.log, .step(.closeSealedSegment), "the file of a full segment stays open: a descriptor a rotation")
        case .memoryLeaked:
            Entry(.log, .step(.freeRecord), "an append keeps a kilobyte of memory for ever")
        case .numberDoubled:
            Entry(
                .log, .step(.reserveAtomically),
                "an append reads the end of the log and stores the new end in two steps, so that two get the same LSN")
        }
    }

    /// The layer with the bug.
    enum View {
        case keyValue
        case events
        /// The log is below both views.
        case log
    }

    /// How a bug changes the engine.
    enum Hook {
        /// A step of the engine is skipped.
        case step(EngineStep)
        /// The storage below the engine misbehaves.
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

    /// The name with which a target plants it.
    package var name: String { rawValue }

    /// One line for people: the wrong behaviour.
    package var summary: String { entry.summary }

    var hook: Hook { entry.hook }

    /// The hooks with which an engine has the bug.
    package var hooks: SkippedStep {
        if case .step(let step) = hook { SkippedStep(skipped: step) } else { SkippedStep(skipped: nil) }
    }

    /// The bugs that a target of the key-value view can plant.
    package static let ofStores = allCases.filter { $0.entry.view != .events }

    /// The bugs that a target of the event view can plant.
    package static let ofEvents = allCases.filter { $0.entry.view != .keyValue }
}
