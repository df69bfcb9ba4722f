import Bytes
import Engine

/// The implementation of an `EventStore`: the correct engine, or one with a planted bug.
protocol EventEngine: AnyObject, Sendable {
    var recoveryReport: RecoveryReport { get }
    var lastSequence: UInt64 { get }
    var firstSequence: UInt64 { get }
    var checkpoint: Checkpoint { get }
    func append(_ events: [Event]) throws(EngineError) -> [UInt64]
    func flush() throws(EngineError)
    func takeCheckpoint(at sequence: UInt64?) throws(EngineError) -> Checkpoint
    func truncateBeforeCheckpoint() throws(EngineError) -> Int
    func events(after sequence: UInt64) throws(EngineError) -> EventReader
    func close() throws(EngineError)
}
