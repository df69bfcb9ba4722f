/// What a power cut does to what was not synced, by name: the ways that people ask for one crash state.
///
/// Each is a wish; what survives is the largest choice within it that the profile allows. Under `strict`, `reordered`
/// loses everything, for there nothing survives without what came before it.
public enum CrashEffect: String, Hashable, Sendable, CaseIterable {
    /// Nothing that may be lost survives.
    case drop
    /// Everything survives, as after a kill.
    case keep
    /// Each part by chance; writes may be torn.
    case seeded
    /// One write, by chance, survives in part: what came before it survives, what came after is lost.
    case torn
    /// From some point on, by chance, everything survives, and nothing that came before it.
    case reordered

    public var summary: String {
        switch self {
        case .drop: "nothing unsynced survives"
        case .keep: "everything survives"
        case .seeded: "each unsynced change survives or not, by the seed"
        case .torn: "one unsynced write survives in part; what came after it is lost"
        case .reordered: "later unsynced changes survive, earlier ones are lost"
        }
    }
}

extension PendingSet {
    /// The largest legal choice within what `effect` asks for; chance is drawn from `seed`.
    public func survivors(_ effect: CrashEffect, seed: UInt64) -> Survivors {
        switch effect {
        case .drop: survivors(.nothing)
        case .keep: survivors(.everything)
        case .seeded: survivors(.seeded(seed))
        case .torn: torn(RandomStream(seed: seed).stream("torn"))
        case .reordered: reordered(RandomStream(seed: seed).stream("reordered"))
        }
    }

    private func torn(_ stream: RandomStream) -> Survivors {
        let writes = pendingEffects().filter { part in
            part.effect.dataRange.map { $0.aligned(to: unitBytes).count > Int(unitBytes) } ?? false && part.isWrite
        }
        // Without a write of several units there is nothing to tear.
        guard !writes.isEmpty else { return survivors(.nothing) }
        var draws = stream
        let chosen = writes[Int(draws.next(upperBound: UInt64(writes.count)))]
        guard let units = chosen.effect.dataRange?.aligned(to: unitBytes) else { return survivors(.nothing) }
        let count = UInt64(units.count) / unitBytes
        let cut = units.lowerBound + (1 + draws.next(upperBound: count - 1)) * unitBytes
        let keepsBeginning = draws.chance(2, in: 3)
        return close { part in
            if part.number == chosen.number {
                return .data(RangeSet(keepsBeginning ? units.lowerBound..<cut : cut..<units.upperBound))
            }
            // The growth of the write itself stands: a torn tail has its full length.
            return part.number < chosen.number || part.operation == chosen.operation ? .kept : .lost
        }
    }

    private func reordered(_ stream: RandomStream) -> Survivors {
        let parts = pendingEffects()
        let operations = parts.map(\.operation.rawValue).reduce(into: [UInt64]()) { known, id in
            if known.last != id { known.append(id) }
        }
        guard operations.count > 1 else { return survivors(.nothing) }
        var draws = stream
        let first = operations[1 + Int(draws.next(upperBound: UInt64(operations.count - 1)))]
        return close { $0.operation.rawValue < first ? .lost : .kept }
    }
}
