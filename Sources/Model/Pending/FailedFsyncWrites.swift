/// The writes of one inode that a failed barrier covered, in trace order. Their pages are marked clean: each may have
/// reached the disk or not, and no later barrier makes it durable. They stay pending until what is written over them becomes
/// durable.
struct FailedFsyncWrites: Sendable {
    /// Also those that are superseded by now.
    private var parts: [PendingEffect] = []
    /// Places in `parts`, by the first byte of the write.
    private var byOffset: [Int] = []
    private var longestBytes: UInt64 = 0
    private var supersededCount = 0

    /// How many are pending.
    var count: Int { parts.count - supersededCount }
    var isEmpty: Bool { count == 0 }
    /// How many parts take up memory.
    var heldCount: Int { parts.count }
    var pending: some Sequence<PendingEffect> { parts.lazy.filter { !$0.isOverridden } }

    /// Takes more writes, each with a number of its own.
    mutating func insert(_ writes: [PendingEffect]) {
        parts = Array(pending) + writes
        parts.sort { $0.number < $1.number }
        rebuild()
    }

    /// Forgets what a later part, of which `bytes` became durable, overrides. Returns how many writes are gone with that.
    mutating func supersede(to bytes: RangeSet<UInt64>, of number: Int) -> Int {
        let before = supersededCount
        for range in bytes.ranges {
            var place = firstPlace(reaching: range.lowerBound)
            while place < byOffset.count, let own = parts[byOffset[place]].effect.dataRange,
                own.lowerBound < range.upperBound
            {
                supersede(byOffset[place], own.clamped(to: range), number)
                place += 1
            }
        }
        let superseded = supersededCount - before
        if supersededCount * 2 > parts.count {
            parts = Array(pending)
            rebuild()
        }
        return superseded
    }

    private mutating func supersede(_ index: Int, _ common: Range<UInt64>, _ number: Int) {
        guard !common.isEmpty, parts[index].number < number, !parts[index].isOverridden else { return }
        parts[index].gone.insert(contentsOf: common)
        guard parts[index].isSpent else { return }
        parts[index].isOverridden = true
        supersededCount += 1
    }

    /// The first place whose write may reach `offset`.
    private func firstPlace(reaching offset: UInt64) -> Int {
        let start = offset - min(offset, longestBytes)
        var (low, high) = (0, byOffset.count)
        while low < high {
            let middle = (low + high) / 2
            let begin = parts[byOffset[middle]].effect.dataRange?.lowerBound ?? 0
            if begin < start { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func rebuild() {
        supersededCount = 0
        longestBytes = parts.reduce(0) { max($0, $1.effect.dataRange.map { $0.upperBound - $0.lowerBound } ?? 0) }
        byOffset = parts.indices.sorted {
            (parts[$0].effect.dataRange?.lowerBound ?? 0) < (parts[$1].effect.dataRange?.lowerBound ?? 0)
        }
    }
}
