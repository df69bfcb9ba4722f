extension PendingSet {
    /// A legal choice by chance. One seed draws a mood first (how much is kept, how often a write is torn), so that
    /// seeds reach both nearly everything lost and nearly everything kept.
    func seeded(_ stream: RandomStream) -> Survivors {
        var mood = stream
        let keptOf16 = mood.next(upperBound: UInt64(15)) + 1
        let tornOf16 = mood.next(upperBound: UInt64(9))
        return close { part in
            var draw = stream.stream(part.operation.rawValue).stream(UInt64(part.index))
            switch part.effect {
            case .write where draw.chance(tornOf16, in: 16): return torn(part, &draw, keptOf16)
            case .grow(_, let from, let to) where draw.chance(tornOf16, in: 16):
                return .size(from + draw.next(upperBound: to - from))
            default: return draw.chance(keptOf16, in: 16) ? .kept : .lost
            }
        }
    }

    /// A write of which some units survive: a prefix, a suffix, or each by chance.
    private func torn(_ part: PendingEffect, _ draw: inout RandomStream, _ keptOf16: UInt64) -> Fate {
        guard let range = part.effect.dataRange else { return .kept }
        let units = range.aligned(to: unitBytes)
        let count = UInt64(units.count) / unitBytes
        let cut = units.lowerBound + draw.next(upperBound: count + 1) * unitBytes
        switch draw.next(upperBound: UInt64(3)) {
        case 0: return .data(RangeSet(units.lowerBound..<cut))
        case 1: return .data(RangeSet(cut..<units.upperBound))
        default:
            var kept = RangeSet<UInt64>()
            // Beyond a thousand units, whole groups of them share one draw.
            let step = (count / 1024 + 1) * unitBytes
            for start in stride(from: units.lowerBound, to: units.upperBound, by: Int(step))
            where draw.chance(keptOf16, in: 16) {
                kept.insert(contentsOf: start..<min(start + step, units.upperBound))
            }
            return .data(kept)
        }
    }
}
