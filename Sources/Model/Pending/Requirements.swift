import Bytes

/// The dependencies of each pending effect: an effect survives only if its dependencies do. They follow from the profile's
/// order and from the earlier versions of the same slot.
///
/// This is the only place that defines dependencies. `SurvivorClosure` (choosing survivors), `PendingSet.commit` (making
/// effects durable) and `AtomGraph` (walking all states) read it and know no profile. A dependency is always an earlier
/// effect: one pass in trace order closes a choice of survivors, and one pass backwards closes the effects that a barrier
/// covers.
///
/// For speed, `PendingSet.commitFast` repeats some of it, in terms of the queues of pending effects. `RequirementsTests`
/// compares both on random traces under every profile.
///
/// - A unit of data depends on earlier data of that unit, because each write may change only some of its bytes. Zeros of
///   a whole unit replace all earlier data. Zeros are metadata: they depend on no data.
/// - A growth depends on the earlier growth that it continues. A truncate replaces growth and depends on earlier truncates.
/// - A name or an attribute depends on the earlier version in its slot.
/// - What may be in a log by itself depends on less of the metadata before it: see `LogTree`.
struct Requirements {
    enum Dependency {
        /// All of the effect at this index.
        case effect(Int)
        /// The units in this range of the effect at this index, as far as the dependent effect shares them.
        case units(of: Int, Range<UInt64>)
    }

    private var first: [Int] = [0]
    private var dependencies: [Dependency] = []

    subscript(index: Int) -> ArraySlice<Dependency> { dependencies[first[index]..<first[index + 1]] }

    /// What the effects of a set need to survive a crash.
    init(_ effects: [PendingEffect], _ set: PendingSet) {
        self.init(effects, set.rules, unitBytes: set.unitBytes, set.log.began == nil ? nil : set)
    }

    /// What effects that a barrier makes durable take along.
    init(committing effects: [PendingEffect], _ set: PendingSet) {
        self.init(effects, set.rules.whenCommitted, unitBytes: set.unitBytes, nil)
    }

    private init(_ effects: [PendingEffect], _ rules: ProfileRules, unitBytes: UInt64, _ logged: PendingSet?) {
        first.reserveCapacity(effects.count + 1)
        dependencies.reserveCapacity(effects.count)
        var latest = Latest(rules: rules, unitBytes: unitBytes, logged: logged)
        for (index, pending) in effects.enumerated() {
            latest.appendDependencies(of: pending, index, effects, to: &dependencies)
            latest.record(pending, index)
            first.append(dependencies.count)
        }
    }
}

// MARK: - Bundles

extension Requirements {
    /// Neighbouring effects whose survival is decided together.
    enum Bundle {
        case single
        /// An effect and the next one survive together or not at all.
        case pair
        /// Under a total order, a write that is cut short at a page boundary; `withGrowth`: together with the growth that
        /// follows it.
        case prefix(withGrowth: Bool)
    }

    /// The bundle that begins at an index.
    static func bundle(at index: Int, of effects: [PendingEffect], _ set: PendingSet) -> Bundle {
        let rules = set.rules
        if joinsNext(index, of: effects, isLogged: set.log.began != nil) { return .pair }
        let effect = effects[index]
        guard rules.order == .total, effect.isWrite else { return .single }
        guard tearing(of: effect, rules) == .pagePrefix, index + 1 < effects.count else {
            return .prefix(withGrowth: false)
        }
        let next = effects[index + 1]
        return .prefix(withGrowth: next.isGrowth && next.operation == effect.operation)
    }

    /// Whether an effect survives only together with the next one.
    ///
    /// - Parameter isLogged: whether a log may hold the one without the other, as when a barrier writes it.
    @inline(__always)
    static func joinsNext(_ index: Int, of effects: [PendingEffect], isLogged: Bool) -> Bool {
        switch effects[index].dependency {
        case .joinsNext: index + 1 < effects.count
        case .joinsNextUnlessLogged:
            !isLogged && index + 1 < effects.count && effects[index + 1].operation == effects[index].operation
        case .none, .requiresPrevious: false
        }
    }

    /// How a write is torn.
    enum Tearing {
        /// Each unit survives on its own.
        case units
        /// Each page survives on its own.
        case pages
        /// A prefix of its pages survives.
        case pagePrefix
    }

    /// A write covered by a failed fsync is outside the total order: any of its pages may be lost.
    @inline(__always)
    static func tearing(of write: PendingEffect, _ rules: ProfileRules) -> Tearing {
        guard rules.order == .total else { return .units }
        return write.isUnsyncable ? .pages : .pagePrefix
    }
}

/// The latest version of each slot, in a pass over the effects.
private struct Latest {
    let rules: ProfileRules
    let unitBytes: UInt64
    /// The set, if some of its effects may be in a log.
    let logged: PendingSet?
    var anything: Int?
    /// The latest metadata that needs all metadata before it, and what came since.
    var metadata: Int?
    var unordered: [Int] = []
    /// Names, if some may be in a log.
    var allNames: [Int] = []
    var directoryMove: Int?
    var names: [DirectoryEntry: Int] = [:]
    var inodes: [InodeID: Slots] = [:]

    struct Slots {
        var writes = UnitMap()
        var zeros = UnitMap()
        var size: Int?
        var resize: Int?
        var attributes: Int?
        var extendedAttributes: [ByteString: Int] = [:]
    }

    func appendDependencies(
        of pending: PendingEffect, _ index: Int, _ effects: [PendingEffect],
        to dependencies: inout [Requirements.Dependency]
    ) {
        func append(_ index: Int?) { if let index { dependencies.append(.effect(index)) } }
        // The previous effect of the operation may be durable by now.
        if pending.dependency == .requiresPrevious, index > 0, effects[index - 1].operation == pending.operation {
            append(index - 1)
        }
        if pending.movesDirectory { append(directoryMove) }
        if rules.order == .total {
            append(anything)
            return
        }
        if rules.order == .metadata, pending.effect.isMetadata { appendOrder(of: pending, effects, to: &dependencies) }
        let slots = inodes[pending.effect.inode]
        switch pending.effect {
        case .write:
            for range in pending.pendingBytes.ranges {
                appendDataDependencies(in: range.aligned(to: unitBytes), slots, to: &dependencies)
            }
        case .zero(_, let range):
            let (all, whole) = (range.aligned(to: unitBytes), range.wholeUnits(of: unitBytes))
            for edge in [all.lowerBound..<min(whole.lowerBound, all.upperBound), whole.upperBound..<all.upperBound]
            where !edge.isEmpty {
                for run in slots?.zeros.runs(in: edge).map(\.effectIndex) ?? [] { append(run) }
            }
        case .grow:
            append(slots?.size)
            if rules.growthFollowsMetadata { appendOrder(of: pending, effects, to: &dependencies) }
        case .resize: append(slots?.resize)
        case .name(let entry, _): append(names[entry])
        case .attributes: append(slots?.attributes)
        case .extendedAttribute(_, let name, _): append(slots?.extendedAttributes[name])
        }
    }

    /// The metadata before an effect that it needs.
    private func appendOrder(
        of pending: PendingEffect, _ effects: [PendingEffect], to dependencies: inout [Requirements.Dependency]
    ) {
        switch logged?.logAccess(of: pending) ?? .none {
        case .none:
            if let metadata { dependencies.append(.effect(metadata)) }
            for index in unordered.suffix(LogTree.comparedAtMost) { dependencies.append(.effect(index)) }
        case .alone: break
        case .name:
            for index in allNames.suffix(LogTree.comparedAtMost)
            where effects[index].operation != pending.operation && logged!.logIncludes(effects[index], with: pending) {
                dependencies.append(.effect(index))
            }
        }
    }

    private func appendDataDependencies(
        in range: Range<UInt64>, _ slots: Slots?, to dependencies: inout [Requirements.Dependency]
    ) {
        guard let slots else { return }
        for run in slots.writes.runs(in: range) { dependencies.append(.units(of: run.effectIndex, run.range)) }
        for run in slots.zeros.runs(in: range) { dependencies.append(.units(of: run.effectIndex, run.range)) }
    }

    private mutating func recordOrder(_ pending: PendingEffect, _ index: Int) {
        guard let logged else {
            metadata = index
            return
        }
        if case .name = pending.effect { allNames.append(index) }
        if logged.logAccess(of: pending) == .none {
            (metadata, unordered) = (index, [])
        } else {
            unordered.append(index)
        }
    }

    mutating func record(_ pending: PendingEffect, _ index: Int) {
        // Writes covered by a failed fsync impose no ordering: they may be lost while later effects become durable. A later
        // write in the same unit does not guarantee them either: their page is clean and may have been evicted.
        if pending.isUnsyncable { return }
        if rules.order == .total {
            anything = index
            guard case .zero = pending.effect else { return }
        }
        if pending.effect.isMetadata { recordOrder(pending, index) }
        if pending.movesDirectory { directoryMove = index }
        let inode = pending.effect.inode
        switch pending.effect {
        case .write:
            for range in pending.pendingBytes.ranges {
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
