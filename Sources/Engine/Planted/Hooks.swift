/// A step of the engine that its promises stand on, and that a planted bug skips. `PlantedBug` has the table.
package enum EngineStep: Sendable {
    // The log, while it is written.
    case syncSealedSegment
    case poisonAfterFailedSync
    case awaitOwnSync
    case beginSegmentEmpty
    case truncateOldestFirst
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

/// Asked at each step that can be skipped. The engine is generic over the answer: with `NoHooks` the questions vanish
/// from the compiled code.
package protocol Hooks: Sendable {
    func skips(_ step: EngineStep) -> Bool
}

extension Hooks {
    /// Carries out a step, unless it is skipped.
    @inlinable
    @inline(__always)
    package func run<Failure: Error>(_ step: EngineStep, _ body: () throws(Failure) -> Void) throws(Failure) {
        if !skips(step) { try body() }
    }
}

/// The engine as it should be.
package struct NoHooks: Hooks {
    package init() {}

    @inlinable
    @inline(__always)
    package func skips(_ step: EngineStep) -> Bool { false }
}

/// The engine without one of its steps; without nil, with all of them, each asked for while it runs.
package struct SkippedStep: Hooks {
    let skipped: EngineStep?
    package func skips(_ step: EngineStep) -> Bool { step == skipped }
}
