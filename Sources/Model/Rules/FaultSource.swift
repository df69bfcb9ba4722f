import Bytes

/// A source of faults: rules, or the script of an earlier run. A value; the caller locks.
public protocol FaultSource: Sendable {
    /// Which attempts must be reported, and which of their fields must be set.
    var needs: FaultNeeds { get }

    /// Matches a path against the rules. The result can be cached while it is current.
    func match(_ path: ByteString) -> PathMatch
    func isCurrent(_ match: PathMatch) -> Bool

    /// The faults of an attempt on a path, or on two paths (rename, link). Must be called once for each attempt, in order.
    mutating func decide(_ attempt: Attempt, at path: PathMatch, and other: PathMatch?) -> Decisions
}

extension FaultSource {
    public mutating func decide(_ attempt: Attempt, at path: PathMatch) -> Decisions {
        decide(attempt, at: path, and: nil)
    }
}

/// The information that a source of faults needs. Callers check it first, so that a mount without rules has no overhead.
public struct FaultNeeds: Hashable, Sendable {
    /// The kinds of attempts that must be decided.
    public var kinds = OperationKinds()
    public var processNames = false
    /// `Attempt.growthBytes`, for every kind that changes a size.
    public var growth = false
    /// The bytes before the last write must be kept, for `DrawnFault.stale`.
    public var olderBytes = false
    /// The bytes at the last successful sync must be kept, for `DrawnFault.lose`.
    public var syncedBytes = false
    /// Operations may be delayed.
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
