/// Pending effects in trace order: appended at the end and mostly removed from the front. Removing is cheap; removed
/// effects are freed before they make up half of the memory.
///
/// Storage is in blocks, so that a large queue is never reallocated as a whole.
struct EffectQueue: Sendable, RandomAccessCollection, MutableCollection {
    /// Every block but the last is full. A queue of one block allocates only the capacity that it needs.
    private var blocks: [[PendingEffect]] = []
    private var head = 0

    private static let blockShift = 9
    private static let blockCount = 1 << blockShift

    init() {}
    init(_ effects: [PendingEffect]) { for pending in effects { append(pending) } }

    var startIndex: Int { head }
    var endIndex: Int {
        guard let last = blocks.last else { return 0 }
        return (blocks.count - 1) << EffectQueue.blockShift + last.count
    }

    subscript(index: Int) -> PendingEffect {
        _read { yield blocks[index >> EffectQueue.blockShift][index & (EffectQueue.blockCount - 1)] }
        _modify { yield &blocks[index >> EffectQueue.blockShift][index & (EffectQueue.blockCount - 1)] }
    }

    /// How many effects take up memory, including removed ones that are not yet freed.
    var heldCount: Int { endIndex }

    mutating func append(_ pending: consuming PendingEffect) {
        if blocks.isEmpty || blocks[blocks.count - 1].count == EffectQueue.blockCount { beginBlock() }
        blocks[blocks.count - 1].append(pending)
    }

    private mutating func beginBlock() {
        var block: [PendingEffect] = []
        if !blocks.isEmpty { block.reserveCapacity(EffectQueue.blockCount) }
        blocks.append(block)
    }

    /// Removes the effects before `index`.
    mutating func removeFirst(upTo index: Int) {
        head = index
        let end = endIndex
        if head == end {
            // A queue that is filled and emptied repeatedly keeps its memory, up to 256 effects.
            blocks.removeSubrange(Swift.min(1, blocks.count)...)
            if !blocks.isEmpty { blocks[0].removeAll(keepingCapacity: blocks[0].capacity <= 256) }
            head = 0
        } else if head > 32, head * 2 > end {
            let taken = head >> EffectQueue.blockShift
            if taken > 0 { blocks.removeFirst(taken) }
            head -= taken << EffectQueue.blockShift
            if blocks.count == 1 {
                blocks[0].removeFirst(head)
                head = 0
            }
        }
    }

    /// Removes one effect. Moves the effects on the shorter side of it.
    mutating func remove(at index: Int) {
        let end = endIndex
        guard index - head < end - index else {
            for position in index..<end - 1 { swapAt(position, position + 1) }
            blocks[blocks.count - 1].removeLast()
            if blocks[blocks.count - 1].isEmpty { blocks.removeLast() }
            return removeFirst(upTo: head)
        }
        for position in stride(from: index, to: head, by: -1) { swapAt(position, position - 1) }
        removeFirst(upTo: head + 1)
    }

    /// Removes and returns the effects for which `isWanted` is true.
    mutating func extract(where isWanted: (PendingEffect) -> Bool) -> [PendingEffect] {
        let effects = filter(isWanted)
        if !effects.isEmpty { removeAll(where: isWanted) }
        return effects
    }

    mutating func removeAll(where isGone: (PendingEffect) -> Bool) {
        self = EffectQueue(filter { !isGone($0) })
    }

    /// The index of the first effect whose number is at least `number`.
    func firstIndex(from number: Int) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if self[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func index(of number: Int) -> Int? {
        let index = firstIndex(from: number)
        return index < endIndex && self[index].number == number ? index : nil
    }
}
