/// The pending parts of a set as single atoms, in trace order, each with the earlier atoms that it needs: what is
/// walked to visit every crash state.
///
/// A write is an atom a unit, a growth one a size, two parts that hang together are one atom. Memory is in proportion
/// to the pending units.
struct AtomGraph {
    /// What an atom keeps of its part.
    enum Piece {
        case whole
        /// The part and the next one.
        case pair
        /// Of a write: the bytes of one unit that are pending.
        case unit(Range<UInt64>)
        /// Of a growth: the next size.
        case size(UInt64)
        /// Under one order for everything: the bytes up to the next page boundary, and their size if the write grows
        /// the file.
        case prefix(Range<UInt64>, size: UInt64?)
    }

    struct Atom {
        var part: Int
        var piece: Piece
    }

    let parts: [PendingEffect]
    private let unitBytes: UInt64
    private(set) var atoms: [Atom] = []
    /// The atoms of each part, one after the other.
    private(set) var atomsOfPart: [Range<Int>] = []
    /// What each atom needs; sorted lists of earlier atoms.
    private(set) var needs: [[Int32]] = []

    init(_ set: PendingSet) {
        parts = set.pendingEffects()
        unitBytes = set.unitBytes
        let requirements = Requirements(parts, set.rules, unitBytes: set.unitBytes)
        var index = 0
        while index < parts.count {
            let begin = atoms.count
            var count = 1
            switch Requirements.bundle(at: index, of: parts, set.rules) {
            case .pair:
                append(Atom(part: index, piece: .pair), requirements[index] + requirements[index + 1])
                count = 2
            case .prefix(let withGrowth):
                let isPrefix = Requirements.tearing(of: parts[index], set.rules) == .pagePrefix
                appendPages(index, withGrowth ? parts[index + 1] : nil, isPrefix: isPrefix, requirements[index])
                count = withGrowth ? 2 : 1
            case .single: appendPieces(index, requirements[index])
            }
            for _ in 0..<count { atomsOfPart.append(begin..<atoms.count) }
            index += count
        }
    }

    private mutating func appendPieces(_ index: Int, _ wanted: ArraySlice<Requirements.Need>) {
        switch parts[index].effect {
        case .write:
            for range in parts[index].pendingBytes.ranges {
                for unit in range.cut(at: unitBytes) {
                    append(Atom(part: index, piece: .unit(unit)), wanted, within: unit.aligned(to: unitBytes))
                }
            }
        case .grow:
            for (place, size) in parts[index].sizes.enumerated() {
                append(Atom(part: index, piece: .size(size)), wanted, within: 0..<size)
                if place > 0 { needs[atoms.count - 1].append(Int32(atoms.count - 2)) }
            }
        default: append(Atom(part: index, piece: .whole), wanted)
        }
    }

    private mutating func appendPages(
        _ index: Int, _ growth: PendingEffect?, isPrefix: Bool, _ wanted: ArraySlice<Requirements.Need>
    ) {
        let pieces = parts[index].pendingBytes.ranges.flatMap { $0.cut(at: pageBytes) }
        for (place, bytes) in pieces.enumerated() {
            var size: UInt64?
            if case .grow(_, let from, let to)? = growth?.effect, bytes.upperBound > from {
                size = place == pieces.count - 1 ? to : bytes.upperBound
            }
            append(Atom(part: index, piece: .prefix(bytes, size: size)), wanted, within: bytes)
            if place > 0, isPrefix { needs[atoms.count - 1].append(Int32(atoms.count - 2)) }
        }
    }

    /// `range`: of needs for units, those that meet this range are the atom's.
    private mutating func append(
        _ atom: Atom, _ wanted: ArraySlice<Requirements.Need>, within range: Range<UInt64> = 0..<UInt64.max
    ) {
        var list: [Int32] = []
        for need in wanted {
            switch need {
            case .part(let other):
                // The second of a pair may need the first: that is the atom itself.
                if other < atomsOfPart.count, let last = atomsOfPart[other].last { list.append(Int32(last)) }
            case .units(let other, let units):
                let shared = units.clamped(to: range)
                if shared.isEmpty { continue }
                for candidate in atomsOfPart[other] where covers(atoms[candidate], shared) {
                    list.append(Int32(candidate))
                }
            }
        }
        atoms.append(atom)
        needs.append(list)
    }

    private func covers(_ atom: Atom, _ range: Range<UInt64>) -> Bool {
        switch atom.piece {
        case .unit(let bytes), .prefix(let bytes, _): bytes.aligned(to: unitBytes).overlaps(range)
        default: true
        }
    }

    /// The parts that an atom is of.
    func parts(of atom: Int) -> ClosedRange<Int> {
        let part = atoms[atom].part
        let isShared = part + 1 < parts.count && atomsOfPart[part + 1] == atomsOfPart[part]
        return part...(isShared ? part + 1 : part)
    }

    /// Whether the atom is among what survives.
    func isKept(_ atom: Int, in survivors: Survivors) -> Bool {
        switch (survivors.fates[atoms[atom].part], atoms[atom].piece) {
        case (.kept, _): true
        case (.data(let kept), .unit(let bytes)), (.data(let kept), .prefix(let bytes, _)):
            kept.contains(bytes.lowerBound)
        case (.size(let reached), .size(let size)): size <= reached
        default: false
        }
    }

    /// The fates of the parts in the state that has these atoms, a bit each.
    func survivors(_ members: ArraySlice<UInt64>) -> Survivors {
        var fates: [Fate] = []
        fates.reserveCapacity(parts.count)
        while fates.count < parts.count { appendFates(members, to: &fates) }
        return Survivors(fates: fates)
    }

    private func appendFates(_ members: ArraySlice<UInt64>, to fates: inout [Fate]) {
        func contains(_ atom: Int) -> Bool { members[members.startIndex + atom >> 6] >> UInt64(atom & 63) & 1 == 1 }
        let range = atomsOfPart[fates.count]
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

    /// What is left of a write, and the size that it reached, when these atoms of it survive.
    private func torn(_ kept: [Int]) -> (data: Fate, sizeBytes: UInt64?) {
        // Neighbours are one range: what is kept of a write is mostly one piece, and a set is slow to grow.
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
    /// Takes in a range; as a part of the last one, where they touch.
    fileprivate mutating func join(_ range: Range<UInt64>) {
        guard let last, range.lowerBound <= last.upperBound, range.lowerBound >= last.lowerBound else {
            return append(range)
        }
        self[count - 1] = last.lowerBound..<Swift.max(last.upperBound, range.upperBound)
    }
}

extension Range<UInt64> {
    /// The range in pieces that end at multiples of `unit` and at its end.
    func cut(at unit: UInt64) -> some Sequence<Range<UInt64>> {
        sequence(state: lowerBound) { start -> Range<UInt64>? in
            guard start < upperBound else { return nil }
            let end = Swift.min(upperBound, (start / unit + 1) * unit)
            defer { start = end }
            return start..<end
        }
    }
}
