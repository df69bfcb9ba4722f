import Bytes

/// What each pending part needs: the order of a profile, and the version chains of the slots, as one list.
///
/// This is the only place that says what may survive without what. Choosing survivors, making things durable and
/// walking all states read the list and know no profile. A need always points to an earlier part, so that one pass in
/// trace order closes a choice downward and one pass back closes a promise.
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

    init(_ parts: [Part], _ rules: ProfileRules, unitBytes: UInt64) {
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

    func appendNeeds(of part: Part, _ index: Int, _ parts: [Part], to needs: inout [Requirements.Need]) {
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

    mutating func take(_ part: Part, _ index: Int) {
        // What a failed barrier covered is in nobody's way: it may be lost for ever while later parts become durable.
        // Nor does what is written over it in the same unit bring it along for certain: the page is clean, and may have left
        // the cache meanwhile.
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
