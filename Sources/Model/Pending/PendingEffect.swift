/// An effect that is not durable: a crash may keep or lose it. With the bookkeeping of the pending set.
struct PendingEffect: Sendable {
    /// The effect's number in the trace. Rises by one.
    var number: Int
    var operation: OperationID
    /// The number of events seen when the operation completed; `Int.max` while it is in flight.
    var completedAt: Int
    /// For a name under `.slots`: the number of the previous version of this name, and of the previous move of a
    /// directory. -1 if there is none.
    var previousVersion = -1
    var previousMove = -1
    /// For data: bytes that a crash can no longer keep or lose, because they are durable, overwritten, or equal to the
    /// bytes that they replaced.
    var excludedBytes = RangeSet<UInt64>()
    /// For a growth: sorted sizes that may survive, besides its end and the page boundaries.
    var stops: [UInt64] = []
    // `effect` has 33 bytes. The small fields that follow it fit into its padding.
    var effect: Effect
    /// The index among the effects of its operation, from 0.
    var index: UInt8
    var dependency = SurvivalDependency.none
    /// Whether it moves a directory into another one. Such moves keep their order under every profile, so that no
    /// directory gets two names or lies within itself.
    var movesDirectory = false
    /// Whether an fsync that covered it failed. No later barrier makes it durable.
    var isUnsyncable = false
    /// Whether a later durable effect replaces it: for a growth a later size, for a write of a failed fsync newer data.
    var isOverridden = false

    /// An effect without a number yet. `eventCount` is the number of the operation's event.
    init(_ effect: Effect, of operation: Operation, at eventCount: Int, index: UInt8 = 0) {
        number = 0
        self.operation = operation.id
        completedAt = operation.isComplete ? eventCount : .max
        self.effect = effect
        self.index = index
    }

    /// How the survival of an effect depends on the other effect of its operation.
    enum SurvivalDependency: Sendable {
        case none
        /// Survives together with the next effect or not at all: the two names of a rename, the zeros and the size of a
        /// truncate.
        case joinsNext
        /// Joins the next, unless a log may hold it alone: the new name of a rename into another directory under `logsSlots`.
        case joinsNextUnlessLogged
        /// Survives only if the previous effect does: a rename removes the old name only if the new one exists.
        case requiresPrevious
    }

    /// For a write: the bytes that a crash may keep or lose.
    var pendingBytes: RangeSet<UInt64> {
        guard case .write = effect, let range = effect.dataRange else { return RangeSet() }
        return excludedBytes.isEmpty ? RangeSet(range) : RangeSet(range).subtracting(excludedBytes)
    }

    /// For a growth: the sizes that may survive, sorted.
    var sizes: [UInt64] {
        guard case .grow(_, let from, let to) = effect else { return [] }
        let pages = (from..<to).cut(at: pageBytes).map(\.upperBound)
        return stops.isEmpty ? pages : Set(pages + stops).sorted()
    }

    /// For a growth: the largest of its sizes that is at most `limit`, or the size that it began with.
    func size(upTo limit: UInt64) -> UInt64 {
        guard case .grow(_, let from, let to) = effect else { return limit }
        if limit >= to { return to }
        let page = max(from, limit / pageBytes * pageBytes)
        return stops.last { $0 <= limit }.map { max($0, page) } ?? page
    }

    /// For a growth: adds `size` to the sizes that may survive, if the growth crosses it.
    mutating func stop(at size: UInt64) {
        guard case .grow(_, let from, let to) = effect, from < size, size < to, !stops.contains(size) else { return }
        stops.append(size)
        stops.sort()
    }

    /// Whether it is what the kernel zeroes in the page cache at the edge of a truncate or a hole.
    var isEdge: Bool { isWrite && index >= Self.firstEdgeIndex }
    static let firstEdgeIndex: UInt8 = 2

    var isWrite: Bool { if case .write = effect { true } else { false } }
    var isGrowth: Bool { if case .grow = effect { true } else { false } }
}
