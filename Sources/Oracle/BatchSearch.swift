/// Looks for a choice of which undecided batches happened that suits what every key shows.
///
/// Batches that share a key, directly or through others, are decided together: by trying, oldest first, and turning
/// back as soon as a key whose batches are all decided disagrees. Most such groups have one batch and a few keys. The
/// tries are bounded; a group that exceeds the bound is reported as such, never guessed.
struct BatchSearch {
    struct Key {
        var number: Int
        var payload: [UInt8]?
        var order: Order
        var versions: [Version]
        /// The undecided batches among `versions`, sorted.
        var batches: [Int]

        /// Whether the key may show its payload if, of its undecided batches, exactly those of `happened` happened.
        func isExplained(by happened: (Int) -> Bool) -> Bool {
            let didHappen = versions.map { version in
                version.isCertain || (batches.contains(version.batch) && happened(version.batch))
            }
            for (index, version) in versions.enumerated() where version.payload == payload {
                // Only an operation outside the undecided batches may be chosen freely.
                guard didHappen[index] || !batches.contains(version.batch) else { continue }
                let isReplaced = versions.indices.contains { other in
                    other != index && didHappen[other] && versions[other].replaces(version, order)
                }
                if !isReplaced { return true }
            }
            return false
        }
    }

    enum Conflict {
        /// No choice suits: the key at which the longest attempt ended, and the batches decided with it.
        case contradiction(number: Int, batches: [Int])
        case tooMany(batches: Int)
    }

    static let maximumTries = 1 << 20

    private var keys: [Key] = []

    mutating func add(_ key: Key) { keys.append(key) }

    func conflicts() -> [Conflict] {
        var conflicts: [Conflict] = []
        for group in groups() {
            let batches = Set(group.flatMap(\.batches)).sorted()
            if let conflict = Self.conflict(in: group, batches) { conflicts.append(conflict) }
        }
        return conflicts
    }

    /// Keys that share batches, directly or through others; each key without an undecided batch by itself.
    private func groups() -> [[Key]] {
        var leader: [Int: Int] = [:]
        func find(_ batch: Int) -> Int {
            var batch = batch
            while let next = leader[batch], next != batch { batch = next }
            return batch
        }
        for key in keys {
            guard let first = key.batches.first else { continue }
            for batch in key.batches { leader[find(batch)] = find(first) }
        }
        var groups: [Int: [Key]] = [:]
        var alone: [[Key]] = []
        for key in keys {
            if let first = key.batches.first {
                groups[find(first), default: []].append(key)
            } else {
                alone.append([key])
            }
        }
        return alone + groups.keys.sorted().map { groups[$0]! }
    }

    private static func conflict(in group: [Key], _ batches: [Int]) -> Conflict? {
        // By depth: the keys whose last undecided batch is decided there.
        let depth = Dictionary(uniqueKeysWithValues: batches.enumerated().map { ($1, $0) })
        var decided = [[Key]](repeating: [], count: batches.count + 1)
        for key in group { decided[key.batches.map { depth[$0]! + 1 }.max() ?? 0].append(key) }
        var happened = [Bool](repeating: false, count: batches.count)
        var tries = 0
        var deepest = (depth: -1, number: group[0].number)

        func disagreeing(at level: Int) -> Key? {
            decided[level].first { key in !key.isExplained { happened[depth[$0]!] } }
        }
        func search(_ level: Int) -> Bool {
            tries += 1
            if let key = disagreeing(at: level) {
                if level > deepest.depth { deepest = (level, key.number) }
                return false
            }
            guard level < batches.count, tries < maximumTries else { return level == batches.count }
            for choice in [true, false] {
                happened[level] = choice
                if search(level + 1) { return true }
            }
            return false
        }
        if search(0) { return nil }
        return tries >= maximumTries
            ? .tooMany(batches: batches.count) : .contradiction(number: deepest.number, batches: batches)
    }
}
