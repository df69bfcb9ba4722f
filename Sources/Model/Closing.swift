import Bytes

/// Walks the pending parts in trace order and says, at each, what may still survive given what was kept before.
///
/// This is the profile's order, in one place: deriving one state and enumerating all of them both walk with it. Each
/// requirement points to earlier parts, so that one pass closes a choice.
struct Closing {
    private let rules: ProfileRules
    private let unitBytes: UInt64
    private var lostAnything = false
    private var lostMetadata = false
    private var lostGrowth: Set<InodeID> = []
    /// Units of data that lack a version; later versions of them cannot survive.
    private var missing: [InodeID: RangeSet<UInt64>] = [:]
    private var lostNames: Set<Entry> = []
    private var lostSizes: Set<InodeID> = []
    private var lostAttributes: Set<InodeID> = []
    /// With one order for everything: how far the torn write got, and the fate of its size.
    private var tear: (operation: OperationID, end: UInt64)?
    private var previous: (number: Int, wasKept: Bool) = (-1, true)

    init(_ set: PendingSet) {
        rules = set.rules
        unitBytes = set.unitBytes
    }

    /// Whether a part that is not data or growth may survive.
    func allows(_ part: PendingSet.Part) -> Bool {
        if lostAnything && rules.order == .total { return false }
        if lostMetadata && rules.order == .metadata && part.effect.isMetadata { return false }
        if part.bond == .needsPrevious, previous.number == part.number - 1, !previous.wasKept { return false }
        if let source = part.replaces, missing[source] != nil || lostGrowth.contains(source) { return false }
        switch part.effect {
        case .name(let entry, _): return !lostNames.contains(entry)
        case .resize(let inode, _): return !lostSizes.contains(inode)
        case .attributes(let inode, _), .extendedAttribute(let inode, _, _): return !lostAttributes.contains(inode)
        case .zero, .write, .grow: return true
        }
    }

    /// Of the bytes of a write, those that may survive, in whole units.
    func allowed(_ part: PendingSet.Part) -> RangeSet<UInt64> {
        guard allows(part) else { return RangeSet() }
        return part.pendingBytes.subtracting(missing[part.effect.inode] ?? RangeSet())
    }

    /// The largest size at most `wanted` that an extending write may have reached; `from` when none.
    func allowedSize(_ part: PendingSet.Part, wanted: UInt64) -> UInt64 {
        guard case .grow(let inode, let from, let to) = part.effect else { return 0 }
        if let tear, tear.operation == part.operation { return tear.end > from ? min(tear.end, to) : from }
        if lostAnything && rules.order == .total { return from }
        if lostMetadata && rules.growthFollowsMetadata { return from }
        if lostSizes.contains(inode) { return from }
        var limit = min(wanted, to)
        if rules.growthNeedsData, let first = missing[inode]?.ranges.first(where: { $0.upperBound > from }) {
            limit = min(limit, max(first.lowerBound, from))
        }
        return limit == to ? to : max(from, limit / pageBytes * pageBytes)
    }

    /// Records what became of a part. Returns the fate that it was given: under one order for everything a write that
    /// is not whole survives as a page prefix.
    mutating func settle(_ part: PendingSet.Part, _ wanted: Fate) -> Fate {
        let fate: Fate
        switch part.effect {
        case .write: fate = settleWrite(part, wanted)
        case .grow(let inode, let from, let to):
            let size = allowedSize(part, wanted: wanted.size(from: from, to: to))
            fate = size == to ? .kept : size > from ? .size(size) : .lost
            if fate != .kept {
                lostGrowth.insert(inode)
                lostAnything = true
            }
        default:
            fate = wanted == .kept && allows(part) ? .kept : .lost
            if fate == .lost {
                lose(part)
            } else if case .zero(let inode, let range) = part.effect {
                heal(inode, range)
            }
        }
        previous = (part.number, fate == .kept)
        return fate
    }

    private mutating func settleWrite(_ part: PendingSet.Part, _ wanted: Fate) -> Fate {
        let pending = part.pendingBytes
        var kept = pending.intersection(wanted.bytes(of: part)).intersection(allowed(part))
        if rules.order == .total, kept != pending {
            let end = pagePrefixEnd(kept, of: pending)
            kept = kept.intersection(RangeSet(0..<end))
            tear = (part.operation, end)
        } else {
            kept = wholeUnits(kept, of: pending)
        }
        guard kept != pending else { return .kept }
        lostAnything = true
        let lost = pending.subtracting(kept)
        for range in lost.ranges {
            missing[part.effect.inode, default: RangeSet()].insert(contentsOf: range.aligned(to: unitBytes))
        }
        return kept.isEmpty ? .lost : .data(kept)
    }

    private mutating func lose(_ part: PendingSet.Part) {
        lostAnything = true
        if part.effect.isMetadata { lostMetadata = true }
        switch part.effect {
        case .name(let entry, _): lostNames.insert(entry)
        case .resize(let inode, _): lostSizes.insert(inode)
        case .attributes(let inode, _), .extendedAttribute(let inode, _, _): lostAttributes.insert(inode)
        case .zero(let inode, let range):
            missing[inode, default: RangeSet()].insert(contentsOf: range.aligned(to: unitBytes))
        case .write, .grow: break
        }
    }

    /// A zero version that survives overrides whole units that lacked a version.
    private mutating func heal(_ inode: InodeID, _ range: Range<UInt64>) {
        let first = (range.lowerBound + unitBytes - 1) / unitBytes * unitBytes
        guard first < range.upperBound, missing[inode] != nil else { return }
        missing[inode]!.remove(contentsOf: first..<range.aligned(to: unitBytes).upperBound)
        if missing[inode]!.isEmpty { missing[inode] = nil }
    }

    private func wholeUnits(_ kept: RangeSet<UInt64>, of pending: RangeSet<UInt64>) -> RangeSet<UInt64> {
        var result = kept
        for lost in pending.subtracting(kept).ranges { result.remove(contentsOf: lost.aligned(to: unitBytes)) }
        return result
    }

    private func pagePrefixEnd(_ kept: RangeSet<UInt64>, of pending: RangeSet<UInt64>) -> UInt64 {
        guard let lost = pending.subtracting(kept).ranges.first else { return .max }
        return lost.lowerBound / pageBytes * pageBytes
    }
}

extension Fate {
    fileprivate func bytes(of part: PendingSet.Part) -> RangeSet<UInt64> {
        switch self {
        case .kept: part.pendingBytes
        case .data(let ranges): ranges
        case .lost, .size: RangeSet()
        }
    }

    fileprivate func size(from: UInt64, to: UInt64) -> UInt64 {
        switch self {
        case .kept: to
        case .size(let size): size
        case .lost, .data: from
        }
    }
}
