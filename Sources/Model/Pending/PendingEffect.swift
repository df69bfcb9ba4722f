/// One effect that a crash may keep or lose: an effect of one operation, with what the pending set knows of it.
struct PendingEffect: Sendable {
    /// Rises by one over the parts of a trace.
    var number: Int
    var operation: OperationID
    /// The number of events that had been taken when the operation had completed; `Int.max` while in flight.
    var completedAt: Int
    /// Of a name, where each slot is on its own: the numbers of the version before it and of the move of a directory
    /// before it; -1 where there is none.
    var previousVersion = -1
    var previousMove = -1
    /// Of data: the bytes that are durable, overridden, or equal to what they replaced.
    var gone = RangeSet<UInt64>()
    /// Of a growth: sizes that may survive besides those at pages and at its end, in order.
    var stops: [UInt64] = []
    // The small fields follow an effect of 33 bytes, so that together they take up little more.
    var effect: Effect
    /// Which part of its operation this is, from 0.
    var index: UInt8
    var bond = Bond.none
    /// A directory that comes to lie in another one: such moves keep their order under every profile, so that no
    /// directory is ever reached twice or lies within itself.
    var movesDirectory = false
    /// A barrier over it failed: no later barrier makes it durable.
    var isUnsyncable = false
    /// Of a growth: a later size is durable. Of a write of a failed fsync: what was written over it is.
    var isOverridden = false

    /// A part that has no number yet, of an operation that is taken as the event `eventCount`.
    init(_ effect: Effect, of operation: Operation, at eventCount: Int, index: UInt8 = 0) {
        number = 0
        self.operation = operation.id
        completedAt = operation.isComplete ? eventCount : .max
        self.effect = effect
        self.index = index
    }

    /// How a part hangs together with the other part of its operation.
    enum Bond: Sendable {
        case none
        /// Survives only together with the next part: the other name of a rename, the size of a truncate.
        case joinsNext
        /// Survives only if the part before it did: the old name goes only if the new one is there.
        case needsPrevious
    }

    /// Of a write: the bytes that a crash may keep or lose.
    var pendingBytes: RangeSet<UInt64> {
        guard case .write = effect, let range = effect.dataRange else { return RangeSet() }
        return gone.isEmpty ? RangeSet(range) : RangeSet(range).subtracting(gone)
    }

    /// Of a growth: the sizes that may survive, in order.
    var sizes: [UInt64] {
        guard case .grow(_, let from, let to) = effect else { return [] }
        let pages = (from..<to).cut(at: pageBytes).map(\.upperBound)
        return stops.isEmpty ? pages : Set(pages + stops).sorted()
    }

    /// Of a growth: the largest of its sizes up to `limit`, or where it began.
    func size(upTo limit: UInt64) -> UInt64 {
        guard case .grow(_, let from, let to) = effect else { return limit }
        if limit >= to { return to }
        let page = max(from, limit / pageBytes * pageBytes)
        return stops.last { $0 <= limit }.map { max($0, page) } ?? page
    }

    /// Of a growth that `size` lies within: that may survive, too.
    mutating func stop(at size: UInt64) {
        guard case .grow(_, let from, let to) = effect, from < size, size < to, !stops.contains(size) else { return }
        stops.append(size)
        stops.sort()
    }

    var isWrite: Bool { if case .write = effect { true } else { false } }
    var isGrowth: Bool { if case .grow = effect { true } else { false } }
}
