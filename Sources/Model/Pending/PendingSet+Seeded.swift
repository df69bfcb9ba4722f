extension PendingSet {
    /// A random legal choice. Each seed first draws two probabilities (how much is kept, how often a write is torn), so
    /// that seeds cover both states that lose nearly everything and states that keep nearly everything.
    func seeded(_ stream: RandomStream) -> Survivors {
        var probabilities = stream
        let keptOf16 = probabilities.next(upperBound: UInt64(15)) + 1
        let tornOf16 = probabilities.next(upperBound: UInt64(9))
        return close { pending in
            var draw = stream.stream(pending.operation.rawValue).stream(UInt64(pending.index))
            switch pending.effect {
            case .write where draw.chance(tornOf16, in: 16): return torn(pending, &draw, keptOf16)
            case .grow(_, let from, let to) where draw.chance(tornOf16, in: 16):
                return .size(from + draw.next(upperBound: to - from))
            default: return draw.chance(keptOf16, in: 16) ? .kept : .lost
            }
        }
    }

    /// A torn write: a prefix, a suffix, or random units survive.
    private func torn(_ pending: PendingEffect, _ draw: inout RandomStream, _ keptOf16: UInt64) -> Fate {
        guard let range = pending.effect.dataRange else { return .kept }
        let units = range.aligned(to: unitBytes)
        let count = UInt64(units.count) / unitBytes
        let cut = units.lowerBound + draw.next(upperBound: count + 1) * unitBytes
        switch draw.next(upperBound: UInt64(3)) {
        case 0: return .data(RangeSet(units.lowerBound..<cut))
        case 1: return .data(RangeSet(cut..<units.upperBound))
        default:
            var kept = RangeSet<UInt64>()
            // Above 1024 units, groups of units share one draw.
            let step = (count / 1024 + 1) * unitBytes
            for start in stride(from: units.lowerBound, to: units.upperBound, by: Int(step))
            where draw.chance(keptOf16, in: 16) {
                kept.insert(contentsOf: start..<min(start + step, units.upperBound))
            }
            return .data(kept)
        }
    }
}
