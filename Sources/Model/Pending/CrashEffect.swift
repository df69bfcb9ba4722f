/// A named way to choose one crash state for a power cut.
///
/// Each is a request: the survivors are the largest legal choice within it. Under `strict`, `reordered` loses everything,
/// because there no effect survives without all earlier ones.
public enum CrashEffect: String, Hashable, Sendable, CaseIterable {
    /// No unsynced change survives.
    case drop
    /// Every change survives, as after a kill.
    case keep
    /// Each unsynced change survives at random; writes may be torn.
    case seeded
    /// One random write is torn. Everything before it survives, everything after it is lost.
    case torn
    /// Everything after a random point survives; unsynced changes before it are lost.
    case reordered

    public var summary: String {
        switch self {
        case .drop: "nothing unsynced survives"
        case .keep: "everything survives"
        case .seeded: "each unsynced change survives or not, by the seed"
        case .torn: "one unsynced write survives in part; later ones are lost"
        case .reordered: "later unsynced changes survive, earlier ones are lost"
        }
    }
}

extension PendingSet {
    /// The largest legal choice within the one that `effect` asks for. Random decisions come from `seed`.
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
        let writes = pendingEffects().filter { pending in
            pending.effect.dataRange.map { $0.aligned(to: unitBytes).count > Int(unitBytes) } ?? false
                && pending.isWrite
        }
        // Only a write of several units can be torn.
        guard !writes.isEmpty else { return survivors(.nothing) }
        var draws = stream
        let chosen = writes[Int(draws.next(upperBound: UInt64(writes.count)))]
        guard let units = chosen.effect.dataRange?.aligned(to: unitBytes) else { return survivors(.nothing) }
        let count = UInt64(units.count) / unitBytes
        let cut = units.lowerBound + (1 + draws.next(upperBound: count - 1)) * unitBytes
        let keepsBeginning = draws.chance(2, in: 3)
        return close { pending in
            if pending.number == chosen.number {
                return .data(RangeSet(keepsBeginning ? units.lowerBound..<cut : cut..<units.upperBound))
            }
            // The write's own growth survives, so that a torn tail keeps its full length.
            return pending.number < chosen.number || pending.operation == chosen.operation ? .kept : .lost
        }
    }

    private func reordered(_ stream: RandomStream) -> Survivors {
        let effects = pendingEffects()
        let operations = effects.map(\.operation.rawValue).reduce(into: [UInt64]()) { known, id in
            if known.last != id { known.append(id) }
        }
        guard operations.count > 1 else { return survivors(.nothing) }
        var draws = stream
        let first = operations[1 + Int(draws.next(upperBound: UInt64(operations.count - 1)))]
        return close { $0.operation.rawValue < first ? .lost : .kept }
    }
}
