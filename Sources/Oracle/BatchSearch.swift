/// Looks for a choice of which undecided batches happened that suits what every key shows.
///
/// What a key shows is one of its operations (an *option*): then the operation's batch happened, and no batch happened
/// of which an operation on the key replaces it. Operations replace each other by time: an option that was answered
/// later is replaced by fewer. So a key asks for two things only: that some option's batch happened, and, of each
/// operation whose batch happened, that an option's batch happened which it does not replace. Each is a rule "if this
/// batch happened, then one of those": such rules (dual-Horn clauses) are decided without trying. Begin with
/// every batch as having happened and take away what cannot have, which may take away more. What is left is the largest
/// choice that suits; if a key is left without an option there is none. Exact, in time in proportion to the
/// operations, but for sorting them.
///
/// Keys that share no batch, directly or through others, are decided by themselves.
struct BatchSearch {
    /// No choice suits: the key that was left without an option, and the batches decided with it.
    struct Contradiction {
        var number: Int
        var batches: Set<Int>
    }

    private var keys: [BatchKey] = []

    /// Takes a key whose payload is legal by itself.
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

    /// Keys that share batches, directly or through others, in the order of their first keys.
    private func groups() -> [[BatchKey]] {
        var leader: [Int: Int] = [:]
        func find(_ batch: Int) -> Int {
            var batch = batch
            while let next = leader[batch], next != batch {
                // Halve the way for those who come later.
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
        var places: [Int: Int] = [:]
        var groups: [[BatchKey]] = []
        for key in keys {
            let leader = key.versions.first.map { find($0.batch) } ?? 0
            if let place = places[leader] {
                groups[place].append(key)
            } else {
                places[leader] = groups.count
                groups.append([key])
            }
        }
        return groups
    }
}
