/// Parts in trace order: appended at the end, mostly taken from the front. Taking is cheap, and what was taken is freed
/// before it makes up half of the memory.
struct PartQueue: Sendable, RandomAccessCollection {
    private var storage: [Part] = []
    private var head = 0

    init() {}
    init(_ parts: [Part]) { storage = parts }

    var startIndex: Int { head }
    var endIndex: Int { storage.count }

    subscript(index: Int) -> Part {
        _read { yield storage[index] }
        _modify { yield &storage[index] }
    }

    /// How many parts take up memory, those that were taken included.
    var heldCount: Int { storage.count }

    mutating func append(_ part: Part) { storage.append(part) }

    /// Drops the parts before `index`.
    mutating func removeFirst(upTo index: Int) {
        head = index
        if head == storage.count {
            // A queue that is filled and emptied over and over keeps its memory, unless that is much.
            storage.removeAll(keepingCapacity: storage.capacity <= 256)
            head = 0
        } else if head > 32, head * 2 > storage.count {
            storage.removeFirst(head)
            head = 0
        }
    }

    /// Takes one part out, at the cost of moving the shorter side.
    mutating func remove(at index: Int) {
        guard index - head < storage.count - index else {
            storage.remove(at: index)
            return removeFirst(upTo: head)
        }
        for place in stride(from: index, to: head, by: -1) { storage.swapAt(place, place - 1) }
        removeFirst(upTo: head + 1)
    }

    /// Takes out the parts for which `isWanted`, and returns them.
    mutating func extract(where isWanted: (Part) -> Bool) -> [Part] {
        let parts = filter(isWanted)
        if !parts.isEmpty { removeAll(where: isWanted) }
        return parts
    }

    mutating func removeAll(where isGone: (Part) -> Bool) {
        storage.removeFirst(head)
        head = 0
        storage.removeAll(where: isGone)
    }

    /// The first index of a part with this number or a later one.
    func firstIndex(from number: Int) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if storage[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func index(of number: Int) -> Int? {
        let index = firstIndex(from: number)
        return index < endIndex && storage[index].number == number ? index : nil
    }
}
