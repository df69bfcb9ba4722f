/// Parts in trace order: appended at the end, mostly taken from the front. Taking is cheap, and what was taken is freed
/// before it makes up half of the memory.
///
/// They lie in blocks, so that a queue which grows large is never copied to a larger place.
struct EffectQueue: Sendable, RandomAccessCollection, MutableCollection {
    /// Each but the last is full; a queue of one block is as large as it needs to be.
    private var blocks: [[PendingEffect]] = []
    private var head = 0

    private static let blockShift = 9
    private static let blockCount = 1 << blockShift

    init() {}
    init(_ parts: [PendingEffect]) { for part in parts { append(part) } }

    var startIndex: Int { head }
    var endIndex: Int {
        guard let last = blocks.last else { return 0 }
        return (blocks.count - 1) << EffectQueue.blockShift + last.count
    }

    subscript(index: Int) -> PendingEffect {
        _read { yield blocks[index >> EffectQueue.blockShift][index & (EffectQueue.blockCount - 1)] }
        _modify { yield &blocks[index >> EffectQueue.blockShift][index & (EffectQueue.blockCount - 1)] }
    }

    /// How many parts take up memory, those that were taken included.
    var heldCount: Int { endIndex }

    mutating func append(_ part: consuming PendingEffect) {
        if blocks.isEmpty || blocks[blocks.count - 1].count == EffectQueue.blockCount { beginBlock() }
        blocks[blocks.count - 1].append(part)
    }

    private mutating func beginBlock() {
        var block: [PendingEffect] = []
        if !blocks.isEmpty { block.reserveCapacity(EffectQueue.blockCount) }
        blocks.append(block)
    }

    /// Drops the parts before `index`.
    mutating func removeFirst(upTo index: Int) {
        head = index
        let end = endIndex
        if head == end {
            // A queue that is filled and emptied over and over keeps its memory, unless that is much.
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

    /// Takes one part out, at the cost of moving the shorter side.
    mutating func remove(at index: Int) {
        let end = endIndex
        guard index - head < end - index else {
            for place in index..<end - 1 { swapAt(place, place + 1) }
            blocks[blocks.count - 1].removeLast()
            if blocks[blocks.count - 1].isEmpty { blocks.removeLast() }
            return removeFirst(upTo: head)
        }
        for place in stride(from: index, to: head, by: -1) { swapAt(place, place - 1) }
        removeFirst(upTo: head + 1)
    }

    /// The number of the last growth that had completed before `limit`; -1 where there is none.
    func lastGrowth(completedBy limit: Int) -> Int {
        // Each part is read where it lies: to iterate would copy it.
        for index in indices.reversed() where self[index].isGrowth && self[index].completedAt < limit {
            return self[index].number
        }
        return -1
    }

    /// Takes out the parts for which `isWanted`, and returns them.
    mutating func extract(where isWanted: (PendingEffect) -> Bool) -> [PendingEffect] {
        let parts = filter(isWanted)
        if !parts.isEmpty { removeAll(where: isWanted) }
        return parts
    }

    mutating func removeAll(where isGone: (PendingEffect) -> Bool) {
        self = EffectQueue(filter { !isGone($0) })
    }

    /// The first index of a part with this number or a later one.
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
