/// The largest legal choice within what is wanted: resolves the fate of each pending effect in trace order, given what is
/// wanted of it and what its needs came to (`Requirements`).
struct SurvivorClosure {
    private let parts: [PendingEffect]
    private let requirements: Requirements
    private let unitBytes: UInt64
    private let rules: ProfileRules
    private(set) var fates: [Fate] = []
    /// The units that a part lacks.
    private var lacking: [Int: RangeSet<UInt64>] = [:]

    init(_ parts: [PendingEffect], _ set: PendingSet) {
        self.parts = parts
        requirements = Requirements(parts, set.rules, unitBytes: set.unitBytes)
        unitBytes = set.unitBytes
        rules = set.rules
        fates.reserveCapacity(parts.count)
    }

    /// Resolves the next bundle.
    mutating func resolveNext(_ wanted: (PendingEffect) -> Fate) {
        let index = fates.count
        switch Requirements.bundle(at: index, of: parts, rules) {
        case .pair: resolvePair(index, areWanted: wanted(parts[index]) == .kept && wanted(parts[index + 1]) == .kept)
        case .prefix(withGrowth: true): resolveTorn(index, wanted(parts[index]), growth: wanted(parts[index + 1]))
        case .single, .prefix: resolve(index, wanted(parts[index]))
        }
    }

    private mutating func resolve(_ index: Int, _ wanted: Fate) {
        switch parts[index].effect {
        case .write: resolveWrite(index, wanted)
        case .grow(_, let from, let to): resolveGrowth(index, from, to, wanted)
        default: give(index, wanted == .kept && isAllowed(index) ? .kept : .lost)
        }
    }

    /// Two parts that survive together or not at all.
    private mutating func resolvePair(_ index: Int, areWanted: Bool) {
        let areAllowed = areWanted && isAllowed(index) && isAllowed(index + 1, besides: index)
        give(index, areAllowed ? .kept : .lost)
        give(index + 1, areAllowed ? .kept : .lost)
    }

    /// A write and its growth are cut short together.
    private mutating func resolveTorn(_ index: Int, _ wanted: Fate, growth: Fate) {
        guard case .grow(_, let from, let to) = parts[index + 1].effect, let range = parts[index].effect.dataRange
        else {
            return
        }
        let size: UInt64
        switch growth {
        case .kept: size = to
        case .size(let reached): size = min(reached, to)
        case .lost, .data: size = from
        }
        var bytes = wanted.bytes(of: parts[index])
        if size < to { bytes.formIntersection(RangeSet(0..<size / pageBytes * pageBytes)) }
        resolveWrite(index, .data(bytes))
        switch fates[index] {
        case .kept: give(index + 1, .kept)
        case .data(let kept):
            let end = kept.ranges.last?.upperBound ?? range.lowerBound
            give(index + 1, end > from ? .size(end) : .lost)
        case .lost, .size: give(index + 1, .lost)
        }
    }

    private mutating func resolveWrite(_ index: Int, _ wanted: Fate) {
        let part = parts[index]
        let pending = part.pendingBytes
        var kept = wanted == .kept ? pending : pending.intersection(wanted.bytes(of: part))
        if !kept.isEmpty { restrict(&kept, index) }
        guard kept != pending else { return give(index, .kept) }
        let tearing = Requirements.tearing(of: part, rules)
        if tearing == .pagePrefix {
            let end = pending.subtracting(kept).ranges.first!.lowerBound / pageBytes * pageBytes
            kept.formIntersection(RangeSet(0..<end))
        } else {
            let unit = tearing == .pages ? pageBytes : unitBytes
            for lost in pending.subtracting(kept).ranges { kept.remove(contentsOf: lost.aligned(to: unit)) }
        }
        var lacks = RangeSet<UInt64>()
        for lost in pending.subtracting(kept).ranges { lacks.insert(contentsOf: lost.aligned(to: unitBytes)) }
        lacking[index] = lacks
        give(index, kept.isEmpty ? .lost : .data(kept))
    }

    /// Leaves of the bytes of a write those whose units have what they need.
    private func restrict(_ kept: inout RangeSet<UInt64>, _ index: Int) {
        for need in requirements[index] {
            switch need {
            case .part(let other):
                if fates[other] != .kept {
                    kept = RangeSet()
                    return
                }
            case .units(let other, let range):
                guard fates[other] != .kept else { continue }
                for lost in lost(of: other, in: range).ranges { kept.remove(contentsOf: lost) }
            }
        }
    }

    private mutating func resolveGrowth(_ index: Int, _ from: UInt64, _ to: UInt64, _ wanted: Fate) {
        var limit: UInt64
        switch wanted {
        case .kept: limit = to
        case .size(let size): limit = min(size, to)
        case .lost, .data: limit = from
        }
        for need in requirements[index] {
            switch need {
            case .part(let other): if fates[other] != .kept { limit = from }
            case .units: preconditionFailure("sizes need no data")
            }
        }
        let size = parts[index].size(upTo: limit)
        give(index, size == to ? .kept : size > from ? .size(size) : .lost)
    }

    private func isAllowed(_ index: Int, besides exempt: Int = -1) -> Bool {
        requirements[index].allSatisfy { need in
            switch need {
            case .part(let other): other == exempt || fates[other] == .kept
            case .units(let other, let range): fates[other] == .kept || lost(of: other, in: range).isEmpty
            }
        }
    }

    private func lost(of part: Int, in range: Range<UInt64>) -> RangeSet<UInt64> {
        lacking[part]?.intersection(RangeSet(range)) ?? RangeSet(range)
    }

    private mutating func give(_ index: Int, _ fate: Fate) { fates.append(fate) }
}

extension Fate {
    fileprivate func bytes(of part: PendingEffect) -> RangeSet<UInt64> {
        switch self {
        case .kept: part.pendingBytes
        case .data(let ranges): ranges
        case .lost, .size: RangeSet()
        }
    }
}
