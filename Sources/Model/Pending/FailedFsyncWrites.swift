/// The writes of one inode covered by a failed fsync, in trace order. The kernel marked their pages clean: each page may
/// or may not have reached the disk, and no later barrier makes it durable. A write stays pending until newer durable
/// data overwrites it.
struct FailedFsyncWrites: Sendable {
    /// Includes superseded writes that are not yet freed.
    private var effects: [PendingEffect] = []
    /// Indices into `effects`, sorted by the write's first byte.
    private var byOffset: [Int] = []
    private var longestBytes: UInt64 = 0
    private var supersededCount = 0

    /// How many writes are pending.
    var count: Int { effects.count - supersededCount }
    var isEmpty: Bool { count == 0 }
    /// How many writes take up memory.
    var heldCount: Int { effects.count }
    var pending: some Sequence<PendingEffect> { effects.lazy.filter { !$0.isOverridden } }

    /// Adds writes. Each has a number of its own.
    mutating func insert(_ writes: [PendingEffect]) {
        effects = Array(pending) + writes
        effects.sort { $0.number < $1.number }
        rebuild()
    }

    /// Drops the bytes that a later effect overwrites. `bytes` of it became durable, `number` is its number. Returns how
    /// many writes are fully superseded by it.
    mutating func supersede(to bytes: RangeSet<UInt64>, of number: Int) -> Int {
        let before = supersededCount
        for range in bytes.ranges {
            var position = firstPosition(reaching: range.lowerBound)
            while position < byOffset.count, let own = effects[byOffset[position]].effect.dataRange,
                own.lowerBound < range.upperBound
            {
                supersede(byOffset[position], own.clamped(to: range), number)
                position += 1
            }
        }
        let superseded = supersededCount - before
        if supersededCount * 2 > effects.count {
            effects = Array(pending)
            rebuild()
        }
        return superseded
    }

    private mutating func supersede(_ index: Int, _ common: Range<UInt64>, _ number: Int) {
        guard !common.isEmpty, effects[index].number < number, !effects[index].isOverridden else { return }
        effects[index].excludedBytes.insert(contentsOf: common)
        guard effects[index].isSpent else { return }
        effects[index].isOverridden = true
        supersededCount += 1
    }

    /// The first position in `byOffset` whose write may reach `offset`.
    private func firstPosition(reaching offset: UInt64) -> Int {
        let start = offset - min(offset, longestBytes)
        var (low, high) = (0, byOffset.count)
        while low < high {
            let middle = (low + high) / 2
            let begin = effects[byOffset[middle]].effect.dataRange?.lowerBound ?? 0
            if begin < start { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func rebuild() {
        supersededCount = 0
        longestBytes = effects.reduce(0) { max($0, $1.effect.dataRange.map { $0.upperBound - $0.lowerBound } ?? 0) }
        byOffset = effects.indices.sorted {
            (effects[$0].effect.dataRange?.lowerBound ?? 0) < (effects[$1].effect.dataRange?.lowerBound ?? 0)
        }
    }
}
