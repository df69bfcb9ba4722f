/// The pending effects of a set as atoms, in trace order, each with the earlier atoms that it depends on. A walk over this
/// graph visits every crash state.
///
/// A write has one atom for each unit, a growth one for each size. Two bonded effects are one atom. Memory is in
/// proportion to the pending units.
struct AtomGraph {
    /// The piece of an effect that an atom stands for.
    enum Piece {
        case whole
        /// The effect and the next one.
        case pair
        /// For a write: the pending bytes of one unit.
        case unit(Range<UInt64>)
        /// For a growth: the next size.
        case size(UInt64)
        /// For a write under a total order: the bytes up to the next page boundary, and the new size if the write extends
        /// the file.
        case prefix(Range<UInt64>, size: UInt64?)
    }

    struct Atom {
        var effectIndex: Int
        var piece: Piece
    }

    let effects: [PendingEffect]
    private let unitBytes: UInt64
    private(set) var atoms: [Atom] = []
    /// The atoms of each effect, which are consecutive.
    private(set) var atomsOfEffect: [Range<Int>] = []
    /// The dependencies of each atom, as sorted lists of earlier atoms.
    private(set) var dependencies: [[Int32]] = []

    init(_ set: PendingSet) {
        effects = set.pendingEffects()
        unitBytes = set.unitBytes
        let requirements = Requirements(effects, set)
        var index = 0
        while index < effects.count {
            let begin = atoms.count
            var count = 1
            switch Requirements.bundle(at: index, of: effects, set) {
            case .pair:
                append(Atom(effectIndex: index, piece: .pair), requirements[index] + requirements[index + 1])
                count = 2
            case .prefix(let withGrowth):
                let isPrefix = Requirements.tearing(of: effects[index], set.rules) == .pagePrefix
                appendPages(index, withGrowth ? effects[index + 1] : nil, isPrefix: isPrefix, requirements[index])
                count = withGrowth ? 2 : 1
            case .single: appendPieces(index, requirements[index])
            }
            for _ in 0..<count { atomsOfEffect.append(begin..<atoms.count) }
            index += count
        }
    }

    private mutating func appendPieces(_ index: Int, _ wanted: ArraySlice<Requirements.Dependency>) {
        switch effects[index].effect {
        case .write:
            for range in effects[index].pendingBytes.ranges {
                for unit in range.cut(at: unitBytes) {
                    append(Atom(effectIndex: index, piece: .unit(unit)), wanted, within: unit.aligned(to: unitBytes))
                }
            }
        case .grow:
            for (position, size) in effects[index].sizes.enumerated() {
                append(Atom(effectIndex: index, piece: .size(size)), wanted, within: 0..<size)
                if position > 0 { dependencies[atoms.count - 1].append(Int32(atoms.count - 2)) }
            }
        default: append(Atom(effectIndex: index, piece: .whole), wanted)
        }
    }

    private mutating func appendPages(
        _ index: Int, _ growth: PendingEffect?, isPrefix: Bool, _ wanted: ArraySlice<Requirements.Dependency>
    ) {
        let pieces = effects[index].pendingBytes.ranges.flatMap { $0.cut(at: pageBytes) }
        for (position, bytes) in pieces.enumerated() {
            var size: UInt64?
            if case .grow(_, let from, let to)? = growth?.effect, bytes.upperBound > from {
                size = position == pieces.count - 1 ? to : bytes.upperBound
            }
            append(Atom(effectIndex: index, piece: .prefix(bytes, size: size)), wanted, within: bytes)
            if position > 0, isPrefix { dependencies[atoms.count - 1].append(Int32(atoms.count - 2)) }
        }
    }

    /// - Parameter range: the atom's bytes. Dependencies on units outside of it are dropped.
    private mutating func append(
        _ atom: Atom, _ wanted: ArraySlice<Requirements.Dependency>, within range: Range<UInt64> = 0..<UInt64.max
    ) {
        var list: [Int32] = []
        for dependency in wanted {
            switch dependency {
            case .effect(let other):
                // The second effect of a pair may depend on the first, which is in the same atom.
                if other < atomsOfEffect.count, let last = atomsOfEffect[other].last { list.append(Int32(last)) }
            case .units(let other, let units):
                let shared = units.clamped(to: range)
                if shared.isEmpty { continue }
                for candidate in atomsOfEffect[other] where covers(atoms[candidate], shared) {
                    list.append(Int32(candidate))
                }
            }
        }
        atoms.append(atom)
        dependencies.append(list)
    }

    private func covers(_ atom: Atom, _ range: Range<UInt64>) -> Bool {
        switch atom.piece {
        case .unit(let bytes), .prefix(let bytes, _): bytes.aligned(to: unitBytes).overlaps(range)
        default: true
        }
    }

    /// The effects that an atom belongs to.
    func effects(of atom: Int) -> ClosedRange<Int> {
        let index = atoms[atom].effectIndex
        let isShared = index + 1 < effects.count && atomsOfEffect[index + 1] == atomsOfEffect[index]
        return index...(isShared ? index + 1 : index)
    }

    /// Whether the atom survives.
    func isKept(_ atom: Int, in survivors: Survivors) -> Bool {
        switch (survivors.fates[atoms[atom].effectIndex], atoms[atom].piece) {
        case (.kept, _): true
        case (.data(let kept), .unit(let bytes)), (.data(let kept), .prefix(let bytes, _)):
            kept.contains(bytes.lowerBound)
        case (.size(let reached), .size(let size)): size <= reached
        default: false
        }
    }

    /// The fates of the effects in the state with these atoms, one bit each.
    func survivors(_ members: ArraySlice<UInt64>) -> Survivors {
        var fates: [Fate] = []
        fates.reserveCapacity(effects.count)
        while fates.count < effects.count { appendFates(members, to: &fates) }
        return Survivors(fates: fates)
    }

    private func appendFates(_ members: ArraySlice<UInt64>, to fates: inout [Fate]) {
        func contains(_ atom: Int) -> Bool { members[members.startIndex + atom >> 6] >> UInt64(atom & 63) & 1 == 1 }
        let range = atomsOfEffect[fates.count]
        guard let first = range.first else { return fates.append(.kept) }
        var kept = 0
        for atom in range where contains(atom) { kept += 1 }
        let isWhole = kept == range.count
        switch atoms[first].piece {
        case .whole: fates.append(isWhole ? .kept : .lost)
        case .pair: fates += isWhole ? [.kept, .kept] : [.lost, .lost]
        case .size:
            guard kept > 0, !isWhole, case .size(let size) = atoms[first + kept - 1].piece else {
                return fates.append(isWhole ? .kept : .lost)
            }
            fates.append(.size(size))
        case .unit, .prefix:
            let grows = range.contains { if case .prefix(_, .some) = atoms[$0].piece { true } else { false } }
            let (data, size) = isWhole || kept == 0 ? (isWhole ? .kept : .lost, nil) : torn(range.filter(contains))
            fates.append(data)
            if grows { fates.append(isWhole ? .kept : size.map(Fate.size) ?? .lost) }
        }
    }

    /// The fate of a write of which these atoms survive, and the size that it reached.
    private func torn(_ kept: [Int]) -> (data: Fate, sizeBytes: UInt64?) {
        // Adjacent ranges are merged first: inserting into a RangeSet is slow, and usually one range is kept.
        var ranges: [Range<UInt64>] = []
        var size: UInt64?
        for atom in kept {
            switch atoms[atom].piece {
            case .unit(let bytes): ranges.join(bytes)
            case .prefix(let bytes, let reached):
                ranges.join(bytes)
                size = reached ?? size
            default: break
            }
        }
        var bytes = RangeSet<UInt64>()
        for range in ranges { bytes.insert(contentsOf: range) }
        return (.data(bytes), size)
    }
}

extension [Range<UInt64>] {
    /// Appends a range. Extends the last one if they are adjacent.
    fileprivate mutating func join(_ range: Range<UInt64>) {
        guard let last, range.lowerBound <= last.upperBound, range.lowerBound >= last.lowerBound else {
            return append(range)
        }
        self[count - 1] = last.lowerBound..<Swift.max(last.upperBound, range.upperBound)
    }
}

extension Range<UInt64> {
    /// The range cut at the multiples of `unit`.
    func cut(at unit: UInt64) -> some Sequence<Range<UInt64>> {
        sequence(state: lowerBound) { start -> Range<UInt64>? in
            guard start < upperBound else { return nil }
            let end = Swift.min(upperBound, (start / unit + 1) * unit)
            defer { start = end }
            return start..<end
        }
    }
}
