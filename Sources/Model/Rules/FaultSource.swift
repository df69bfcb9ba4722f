import Bytes

/// Who decides about faults: rules, or the script of an earlier run. A value; the caller locks.
public protocol FaultSource: Sendable {
    /// What an attempt must say, and which attempts must be reported at all.
    var needs: FaultNeeds { get }

    /// Prepares a path, for as long as the match is current.
    func match(_ path: ByteString) -> PathMatch
    func isCurrent(_ match: PathMatch) -> Bool

    /// What happens to an attempt on a path, or on two (rename, link). Each attempt is decided once, in the order in
    /// which they happen.
    mutating func decide(_ attempt: Attempt, at path: PathMatch, and other: PathMatch?) -> Decisions
}

extension FaultSource {
    public mutating func decide(_ attempt: Attempt, at path: PathMatch) -> Decisions {
        decide(attempt, at: path, and: nil)
    }
}

/// What a source of faults needs to be told. Whoever performs operations asks this first, so that no rules cost nothing.
public struct FaultNeeds: Hashable, Sendable {
    /// Attempts of other kinds need not be decided.
    public var kinds = OperationKinds()
    public var processNames = false
    /// `Attempt.growthBytes`, of every kind that changes a size.
    public var growth = false
    /// The bytes before the last write must be kept, for `DrawnFault.stale`.
    public var olderBytes = false
    /// The bytes of the last good sync must be kept, for `DrawnFault.lose`.
    public var syncedBytes = false
    /// Something may be held up.
    public var delays = false

    public init() {}

    public mutating func formUnion(_ other: FaultNeeds) {
        kinds.formUnion(other.kinds)
        processNames = processNames || other.processNames
        growth = growth || other.growth
        olderBytes = olderBytes || other.olderBytes
        syncedBytes = syncedBytes || other.syncedBytes
        delays = delays || other.delays
    }
}
