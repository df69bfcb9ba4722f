/// Searches for a set of undecided batches that, if exactly these happened, explains the observed values of all keys.
///
/// A key's value must come from one of its operations (an *option*). Then that operation's batch happened, and no batch
/// happened that has a later, replacing operation on the key. Operations replace each other by time, so an option that
/// was answered later is replaced by fewer operations. This gives two constraints per key: the batch of some option
/// happened; and for each operation whose batch happened, the batch of an option happened that it does not replace.
/// Both have the form "if this batch happened, one of those did". Such dual-Horn clauses need no backtracking: start
/// with all batches and remove those that cannot have happened, until nothing changes. The rest is the largest
/// solution; if a key has no option left, there is none. Exact, and linear in the operations, except for sorting.
///
/// Keys that share no batch, directly or through other keys, are decided separately.
struct BatchSearch {
    /// No solution exists: the key without an option, and the batches of its group.
    struct Contradiction {
        var number: Int
        var batches: Set<Int>
    }

    private var keys: [BatchKey] = []

    /// Adds a key whose payload is legal on its own.
    mutating func add(_ key: BatchKey) {
        if !key.isAlwaysExplained { keys.append(key) }
    }

    func contradictions() -> [Contradiction] {
        groups().compactMap { keys in
            var group = BatchGroup(keys)
            guard let key = group.keyWithoutOption() else { return nil }
            return Contradiction(number: key.number, batches: Set(keys.flatMap { $0.versions.map(\.batch) }))
        }
    }

    /// Groups of keys that share batches, directly or through others, in order of their first keys.
    private func groups() -> [[BatchKey]] {
        var leader: [Int: Int] = [:]
        func find(_ batch: Int) -> Int {
            var batch = batch
            while let next = leader[batch], next != batch {
                // Path halving (union-find).
                let afterNext = leader[next] ?? next
                leader[batch] = afterNext
                batch = afterNext
            }
            return batch
        }
        for key in keys {
            guard let first = key.versions.first else { continue }
            for version in key.versions { leader[find(version.batch)] = find(first.batch) }
        }
        var indexes: [Int: Int] = [:]
        var groups: [[BatchKey]] = []
        for key in keys {
            let leader = key.versions.first.map { find($0.batch) } ?? 0
            if let index = indexes[leader] {
                groups[index].append(key)
            } else {
                indexes[leader] = groups.count
                groups.append([key])
            }
        }
        return groups
    }
}
