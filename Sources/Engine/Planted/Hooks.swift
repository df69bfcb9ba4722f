/// A step of the engine that is necessary for its guarantees, and that a planted bug skips. `PlantedBug` has the table.
package enum EngineStep: Sendable {
    // The log, while it is written.
    case syncSealedSegment
    case poisonAfterFailedSync
    case awaitOwnSync
    case wakeNextLeader
    case reserveAtomically
    case beginSegmentEmpty
    case truncateOldestFirst
    case closeSealedSegment
    case freeRecord
    // Recovery.
    case verifyRecordChecksum
    case takeLastRecord
    case awaitBatchCommit
    case cutTail
    case rewriteTail
    case keepTailUntilRewritten
    case countLastRecord
    // The key-value view.
    case logDelete
    case syncDelete
    case writeBatchAtOnce
    case verifyValueChecksum
    case copyNewestRecord
    case syncCopies
    // The event view.
    case compareWholeHash
    case awaitOriginal
    case replayWindow
    case keepEventsOfWindow
    case limitCheckpointToDurable
    case syncCheckpoint
    case limitTruncationToCheckpoint
    case replayAfterCheckpoint
}

/// The hooks that are called at each step that can be skipped. The engine is generic over them: with `NoHooks` the calls
/// vanish from the compiled code.
package protocol Hooks: Sendable {
    func skips(_ step: EngineStep) -> Bool
}

extension Hooks {
    /// Runs a step, unless it is skipped.
    @inlinable
    @inline(__always)
    package func run<Failure: Error>(_ step: EngineStep, _ body: () throws(Failure) -> Void) throws(Failure) {
        if !skips(step) { try body() }
    }
}

/// The hooks of the correct engine.
package struct NoHooks: Hooks {
    package init() {}

    @inlinable
    @inline(__always)
    package func skips(_ step: EngineStep) -> Bool { false }
}

/// The hooks of an engine that skips one step; with nil it skips none, but the hooks are called at run time.
package struct SkippedStep: Hooks {
    let skipped: EngineStep?

    package init(skipped: EngineStep?) { self.skipped = skipped }

    package func skips(_ step: EngineStep) -> Bool { step == skipped }
}
