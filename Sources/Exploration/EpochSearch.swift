import Model

/// Looks at a large epoch in the order of what bugs are made of: few lost, few kept, then by chance.
struct EpochSearch {
    let limits: ExplorationLimits
    let seed: UInt64

    /// Calls `look` with each choice until it answers true.
    func forEachChoice(_ epoch: Epoch, _ look: (Survivors) throws -> Bool) rethrows {
        let set = epoch.set
        let items = set.lost(set.survivors(.nothing)).items
        func losing(_ lost: [LostAtoms.Item]) throws -> Bool { try look(set.survivors(.losing(LostAtoms(lost)))) }
        for index in items.indices {
            if try losing([items[index]]) { return }
            if try losing(items.enumerated().filter { $0.offset != index }.map(\.element)) { return }
        }
        if items.count <= limits.pairedAtoms {
            for one in items.indices {
                for two in items.indices where two > one {
                    if try losing([items[one], items[two]]) { return }
                    let rest = items.enumerated().filter { $0.offset != one && $0.offset != two }.map(\.element)
                    if try losing(rest) { return }
                }
            }
        }
        var draws = RandomStream(seed: seed).stream("explore").stream(UInt64(set.eventCount))
        for _ in 0..<limits.samplesPerEpoch where try look(set.survivors(.seeded(draws.next()))) { return }
    }
}
