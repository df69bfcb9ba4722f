import Bytes

/// What each pending effect needs: the order of a profile, and the version chains of the slots, as one list.
///
/// This is the only place that says what may survive without what. `SurvivorClosure` (choosing survivors), `PendingSet.commit`
/// (making things durable) and `AtomGraph` (walking all states) read it and know no profile. A need always points to an
/// earlier effect, so that one pass in trace order closes a choice downward and one pass back closes what a barrier
/// promises.
///
/// For speed, `PendingSet.commitFast` says some of it once more, in terms of the queues that effects wait in.
/// `RequirementsTests` proves on random traces under every profile that it commits the same.
///
/// - A unit of data needs the earlier versions of that unit: its versions are cumulative. A zero version of a whole unit
///   overrides what came before; a zero version needs no data, it is metadata.
/// - A size needs the earlier sizes of the growth that it goes on from; a truncate overrides growth and needs the
///   truncates before it.
/// - A name, an attribute: the earlier version in its slot.
struct Requirements {
    enum Need {
        /// The part, whole.
        case part(Int)
        /// Of the part's units in the range: those that the needing part shares.
        case units(of: Int, Range<UInt64>)
    }

    private var first: [Int] = [0]
    private var needs: [Need] = []

    subscript(part: Int) -> ArraySlice<Need> { needs[first[part]..<first[part + 1]] }

    init(_ parts: [PendingEffect], _ rules: ProfileRules, unitBytes: UInt64) {
        first.reserveCapacity(parts.count + 1)
        needs.reserveCapacity(parts.count)
        var latest = Latest(rules: rules, unitBytes: unitBytes)
        for (index, part) in parts.enumerated() {
            latest.appendNeeds(of: part, index, parts, to: &needs)
            latest.take(part, index)
            first.append(needs.count)
        }
    }
}

// MARK: - What is decided together

extension Requirements {
    /// Effects that a crash decides together.
    enum Bundle {
        case single
        /// An effect and the next one survive together or not at all.
        case pair
        /// Under one order for everything, a write: it is cut short at a page. So is the growth that follows it, if its
        /// fate is the write's.
        case prefix(withGrowth: Bool)
    }

    /// The bundle that begins with an effect.
    static func bundle(at index: Int, of effects: [PendingEffect], _ rules: ProfileRules) -> Bundle {
        if joinsNext(index, of: effects) { return .pair }
        let effect = effects[index]
        guard rules.order == .total, effect.isWrite else { return .single }
        guard tearing(of: effect, rules) == .pagePrefix, index + 1 < effects.count else {
            return .prefix(withGrowth: false)
        }
        let next = effects[index + 1]
        return .prefix(withGrowth: next.isGrowth && next.operation == effect.operation)
    }

    /// Whether an effect survives only together with the next one.
    @inline(__always)
    static func joinsNext(_ index: Int, of effects: [PendingEffect]) -> Bool {
        effects[index].bond == .joinsNext && index + 1 < effects.count
    }

    /// How a write comes apart.
    enum Tearing {
        /// Each unit on its own.
        case units
        /// Each page on its own.
        case pages
        /// Its pages up to one of them.
        case pagePrefix
    }

    /// A write that a failed barrier covered stands outside the order: any of its pages may be lost.
    @inline(__always)
    static func tearing(of write: PendingEffect, _ rules: ProfileRules) -> Tearing {
        guard rules.order == .total else { return .units }
        return write.isUnsyncable ? .pages : .pagePrefix
    }
}

/// The latest version of each slot, in a walk over the parts.
private struct Latest {
    let rules: ProfileRules
    let unitBytes: UInt64
    var anything: Int?
    var metadata: Int?
    var directoryMove: Int?
    var names: [Entry: Int] = [:]
    var inodes: [InodeID: Slots] = [:]

    struct Slots {
        var writes = UnitMap()
        var zeros = UnitMap()
        var size: Int?
        var resize: Int?
        var attributes: Int?
        var extendedAttributes: [ByteString: Int] = [:]
    }

    func appendNeeds(
        of part: PendingEffect, _ index: Int, _ parts: [PendingEffect], to needs: inout [Requirements.Need]
    ) {
        func need(_ part: Int?) { if let part { needs.append(.part(part)) } }
        if part.bond == .needsPrevious { need(index - 1) }
        if part.movesDirectory { need(directoryMove) }
        if rules.order == .total {
            need(anything)
            return
        }
        if rules.order == .metadata, part.effect.isMetadata { need(metadata) }
        let slots = inodes[part.effect.inode]
        switch part.effect {
        case .write:
            for range in part.pendingBytes.ranges {
                needDataVersions(in: range.aligned(to: unitBytes), slots, to: &needs)
            }
        case .zero(_, let range):
            let (all, whole) = (range.aligned(to: unitBytes), range.wholeUnits(of: unitBytes))
            for edge in [all.lowerBound..<min(whole.lowerBound, all.upperBound), whole.upperBound..<all.upperBound]
            where !edge.isEmpty {
                for run in slots?.zeros.runs(in: edge).map(\.part) ?? [] { need(run) }
            }
        case .grow:
            need(slots?.size)
            if rules.growthFollowsMetadata { need(metadata) }
        case .resize: need(slots?.resize)
        case .name(let entry, _): need(names[entry])
        case .attributes: need(slots?.attributes)
        case .extendedAttribute(_, let name, _): need(slots?.extendedAttributes[name])
        }
    }

    private func needDataVersions(in range: Range<UInt64>, _ slots: Slots?, to needs: inout [Requirements.Need]) {
        guard let slots else { return }
        for run in slots.writes.runs(in: range) { needs.append(.units(of: run.part, run.range)) }
        for run in slots.zeros.runs(in: range) { needs.append(.units(of: run.part, run.range)) }
    }

    mutating func take(_ part: PendingEffect, _ index: Int) {
        // Writes covered by a failed fsync impose no ordering: they may be lost for ever while later effects become
        // durable. A write over them in the same unit does not bring them along for certain either: the page is clean, and
        // may have left the cache meanwhile.
        if part.isUnsyncable { return }
        if rules.order == .total {
            anything = index
            guard case .zero = part.effect else { return }
        }
        if part.effect.isMetadata { metadata = index }
        if part.movesDirectory { directoryMove = index }
        let inode = part.effect.inode
        switch part.effect {
        case .write:
            for range in part.pendingBytes.ranges {
                inodes[inode, default: Slots()].writes.set(range.aligned(to: unitBytes), to: index)
            }
        case .zero(_, let range):
            inodes[inode, default: Slots()].writes.clear(range.wholeUnits(of: unitBytes))
            guard rules.order != .total else { return }
            inodes[inode, default: Slots()].zeros.set(range.aligned(to: unitBytes), to: index)
        case .grow: inodes[inode, default: Slots()].size = index
        case .resize:
            inodes[inode, default: Slots()].size = index
            inodes[inode, default: Slots()].resize = index
        case .name(let entry, _): names[entry] = index
        case .attributes: inodes[inode, default: Slots()].attributes = index
        case .extendedAttribute(_, let name, _):
            inodes[inode, default: Slots()].extendedAttributes[name] = index
        }
    }
}
