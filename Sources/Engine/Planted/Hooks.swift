/// A step of the engine that its promises stand on, and that a planted bug skips. `PlantedBug` has the table.
enum EngineStep: Sendable {
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
protocol Hooks: Sendable {
    func skips(_ step: EngineStep) -> Bool
}

extension Hooks {
    /// Carries out a step, unless it is skipped.
    @inline(__always)
    func run<Failure: Error>(_ step: EngineStep, _ body: () throws(Failure) -> Void) throws(Failure) {
        if !skips(step) { try body() }
    }
}

/// The engine as it should be.
struct NoHooks: Hooks {
    @inline(__always) func skips(_ step: EngineStep) -> Bool { false }
}

/// The engine without one of its steps; without nil, with all of them, each asked for while it runs.
struct SkippedStep: Hooks {
    let skipped: EngineStep?
    func skips(_ step: EngineStep) -> Bool { step == skipped }
}
