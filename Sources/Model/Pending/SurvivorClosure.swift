/// Computes the largest legal choice within a wanted one: resolves the fate of each pending effect in trace order, from
/// its wanted fate and the fates of its dependencies (`Requirements`).
struct SurvivorClosure {
    private let effects: [PendingEffect]
    private let requirements: Requirements
    private let unitBytes: UInt64
    private let set: PendingSet
    private var rules: ProfileRules { self.set.rules }
    private(set) var fates: [Fate] = []
    /// The lost units of each effect that survives in part.
    private var lacking: [Int: RangeSet<UInt64>] = [:]

    init(_ effects: [PendingEffect], _ set: PendingSet) {
        self.effects = effects
        requirements = Requirements(effects, set)
        unitBytes = set.unitBytes
        self.set = set
        fates.reserveCapacity(effects.count)
    }

    /// Resolves the next bundle.
    mutating func resolveNext(_ wanted: (PendingEffect) -> Fate) {
        let index = fates.count
        switch Requirements.bundle(at: index, of: effects, set) {
        case .pair:
            resolvePair(index, areWanted: wanted(effects[index]) == .kept && wanted(effects[index + 1]) == .kept)
        case .prefix(withGrowth: true): resolveTorn(index, wanted(effects[index]), growth: wanted(effects[index + 1]))
        case .single, .prefix: resolve(index, wanted(effects[index]))
        }
    }

    private mutating func resolve(_ index: Int, _ wanted: Fate) {
        switch effects[index].effect {
        case .write: resolveWrite(index, wanted)
        case .grow(_, let from, let to): resolveGrowth(index, from, to, wanted)
        default: give(index, wanted == .kept && isAllowed(index) ? .kept : .lost)
        }
    }

    /// Two effects that survive together or not at all.
    private mutating func resolvePair(_ index: Int, areWanted: Bool) {
        let areAllowed = areWanted && isAllowed(index) && isAllowed(index + 1, besides: index)
        give(index, areAllowed ? .kept : .lost)
        give(index + 1, areAllowed ? .kept : .lost)
    }

    /// A write and its growth, cut short together.
    private mutating func resolveTorn(_ index: Int, _ wanted: Fate, growth: Fate) {
        guard case .grow(_, let from, let to) = effects[index + 1].effect, let range = effects[index].effect.dataRange
        else {
            return
        }
        let size: UInt64
        switch growth {
        case .kept: size = to
        case .size(let reached): size = min(reached, to)
        case .lost, .data: size = from
        }
        var bytes = wanted.bytes(of: effects[index])
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
        let pending = effects[index]
        let bytes = pending.pendingBytes
        var kept = wanted == .kept ? bytes : bytes.intersection(wanted.bytes(of: pending))
        if !kept.isEmpty { restrict(&kept, index) }
        guard kept != bytes else { return give(index, .kept) }
        let tearing = Requirements.tearing(of: pending, rules)
        if tearing == .pagePrefix {
            let end = bytes.subtracting(kept).ranges.first!.lowerBound / pageBytes * pageBytes
            kept.formIntersection(RangeSet(0..<end))
        } else {
            let unit = tearing == .pages ? pageBytes : unitBytes
            for lost in bytes.subtracting(kept).ranges { kept.remove(contentsOf: lost.aligned(to: unit)) }
        }
        var lacks = RangeSet<UInt64>()
        for lost in bytes.subtracting(kept).ranges { lacks.insert(contentsOf: lost.aligned(to: unitBytes)) }
        lacking[index] = lacks
        give(index, kept.isEmpty ? .lost : .data(kept))
    }

    /// Removes from `kept` the bytes of units whose dependencies are lost.
    private func restrict(_ kept: inout RangeSet<UInt64>, _ index: Int) {
        for dependency in requirements[index] {
            switch dependency {
            case .effect(let other):
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
        for dependency in requirements[index] {
            switch dependency {
            case .effect(let other): if fates[other] != .kept { limit = from }
            case .units: preconditionFailure("sizes do not depend on data")
            }
        }
        let size = effects[index].size(upTo: limit)
        give(index, size == to ? .kept : size > from ? .size(size) : .lost)
    }

    private func isAllowed(_ index: Int, besides exempt: Int = -1) -> Bool {
        requirements[index].allSatisfy { dependency in
            switch dependency {
            case .effect(let other): other == exempt || fates[other] == .kept
            case .units(let other, let range): fates[other] == .kept || lost(of: other, in: range).isEmpty
            }
        }
    }

    private func lost(of index: Int, in range: Range<UInt64>) -> RangeSet<UInt64> {
        lacking[index]?.intersection(RangeSet(range)) ?? RangeSet(range)
    }

    private mutating func give(_ index: Int, _ fate: Fate) { fates.append(fate) }
}

extension Fate {
    fileprivate func bytes(of pending: PendingEffect) -> RangeSet<UInt64> {
        switch self {
        case .kept: pending.pendingBytes
        case .data(let ranges): ranges
        case .lost, .size: RangeSet()
        }
    }
}
