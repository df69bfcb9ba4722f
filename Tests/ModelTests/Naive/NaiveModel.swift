import Litmus
import Model

/// The definition of a crash state, taken literally and slowly: every atom of the trace is an object, what it needs is
/// found by looking at all the others, and every set of atoms is tried.
///
/// It shares nothing with the pending set but the table of rules and the words of the trace. Nothing ever leaves it;
/// there are no ranges, only cells of 512 bytes. Sets are bit masks, so a trace may have 63 atoms, and few enough that
/// are optional to try all subsets of them.
struct NaiveModel {
    enum Thing: Equatable {
        case data(InodeID, cells: ClosedRange<Int>, letter: UInt8)
        case zero(InodeID, cells: ClosedRange<Int>)
        case size(InodeID, Int)
        case name(DirectoryEntry, InodeID?)
        case attributes(InodeID, Attributes)
        case extendedAttribute(InodeID, String, String?)
    }

    struct Atom {
        var part: Int
        var things: [Thing]
        /// Of an extending write, not of a truncate.
        var isGrowth = false
        var isWrite = false
        /// Zeroed in the page cache at the edge of a truncate or a hole.
        var isEdge = false
        var isMetadata = false
        var completedAt = Int.max
        var isUnsyncable = false
        /// Of a name: what the name meant before.
        var old: InodeID?
        /// Of a rename: the directory of the old name.
        var oldDirectory: InodeID?
        /// Of a new name of a file: it is in every log begun before this time; 0 if that is not certain.
        var carriedUpTo = 0
        var movesDirectory = false
        /// Atoms that survive together share a class.
        var group: Int
        /// Needs this atom besides what the rules say.
        var previous: Int?
        /// Survives together with this atom, unless a log may hold one of them.
        var joinsUnlessLogged: Int?
        /// A name that means again what it meant before a sync of the file that replaced it.
        var isReturn = false
    }

    let rules: ProfileRules
    let cellsOfUnit: Int
    let trace: LitmusTrace
    var atoms: [Atom] = []
    var mandatory: UInt64 = 0
    var volatile = NaiveState()
    var partCount = 0
    private var time = 0
    private var marks: [(completedAt: Int, inode: InodeID, kinds: Set<Kind>, atom: Int)] = []
    private var flights: [OperationID: (atoms: Range<Int>, marks: [Mark])] = [:]
    private var atomsOfOperation: [OperationID: Range<Int>] = [:]
    var barriers: [OperationID: (barrier: Barrier, beganAt: Int, cut: Int)] = [:]
    /// The number of atoms when something was synced first since the last flush, and when an inode was logged last;
    /// `Int.max` while that goes on.
    var logBegan: Int?
    var loggedAt: [InodeID: Int] = [:]
    var surelyLogged: [InodeID: Int] = [:]
    /// What names meant that only a sync of their file changed for good.
    var replaced: [DirectoryEntry: [InodeID]] = [:]

    enum Kind { case change, size, name }

    struct Mark {
        var inode: InodeID
        var kinds: Set<Kind>

        init(_ inode: InodeID, _ kinds: Set<Kind>) {
            self.inode = inode
            self.kinds = kinds
        }
    }

    init(_ trace: LitmusTrace, _ rules: ProfileRules, unitBytes: UInt64) {
        self.rules = rules
        self.trace = trace
        cellsOfUnit = Int(max(unitBytes, rules.smallestUnitBytes)) / 512
        for event in trace.events {
            if rules.everythingPersists { mandatory = all }
            time += 1
            switch event {
            case .operation(let operation): take(operation)
            case .completed(let id):
                guard let flight = flights.removeValue(forKey: id) else { continue }
                for atom in flight.atoms { atoms[atom].completedAt = time }
                for mark in flight.marks { self.mark(mark.inode, mark.kinds, flight.atoms.upperBound - 1) }
            case .barrierBegan(let id, let barrier, _):
                barriers[id] = (barrier, time, cut(of: barrier))
                if let inode = synced(by: barrier) {
                    logBegan = logBegan ?? atoms.count
                    loggedAt[inode] = .max
                }
            case .barrierEnded(let id, let errno): end(id, errno)
            default: break
            }
            if rules.everythingPersists,
                !(atoms.last.map { ($0.isWrite || $0.isGrowth) && $0.completedAt >= time } ?? false)
            {
                mandatory = all
            }
        }
    }

    private var all: UInt64 { atoms.isEmpty ? 0 : .max >> UInt64(64 - atoms.count) }

    // MARK: - Taking operations

    private mutating func take(_ operation: Operation) {
        let first = atoms.count
        let marks = split(operation)
        atomsOfOperation[operation.id] = first..<atoms.count
        if operation.isComplete {
            for atom in first..<atoms.count { atoms[atom].completedAt = time }
            let last = atoms.lastIndex { $0.isMetadata } ?? -1
            for mark in marks { self.mark(mark.inode, mark.kinds, last) }
        } else if atoms.count > first {
            flights[operation.id] = (first..<atoms.count, marks)
        }
    }

    private mutating func mark(_ inode: InodeID, _ kinds: Set<Kind>, _ atom: Int) {
        marks.append((time, inode, kinds, atom))
    }

    private mutating func split(_ operation: Operation) -> [Mark] {
        let before = volatile
        switch operation.change {
        case .write(let inode, let offset, let data):
            let letters = trace.letters(of: data)
            let cells = Int(offset / 512)..<Int(offset / 512) + letters.count
            volatile.write(inode, cells.lowerBound, letters)
            let from = before.sizes[inode]!
            rules.order == .total
                ? addPrefixes(inode, cells, letters, from) : addUnits(inode, cells, letters, from)
            return []
        case .truncate(let inode, let size):
            let size = Int(size / 512)
            return resize(inode, to: size, zeroing: size..<max(size, before.sizes[inode]!), freesEnd: true)
        case .allocate(let inode, let offset, let count, let mode):
            let (size, range) = (before.sizes[inode]!, Int(offset / 512)..<Int((offset + count) / 512))
            let visible = min(range.lowerBound, size)..<min(range.upperBound, size)
            let extended = max(size, range.upperBound)
            switch mode {
            case .extend, .keepSize:
                _ = resize(inode, to: mode == .extend ? extended : size, zeroing: size..<size)
                return [Mark(inode, [.change, .size])]
            case .zeroRange: return resize(inode, to: extended, zeroing: visible)
            case .punchHole, .zeroRangeKeepSize: return resize(inode, to: size, zeroing: visible)
            }
        case .create(let inode, let kind, let attributes, let entry):
            volatile.born(inode, kind, attributes)
            return name(entry, inode)
        case .link(let inode, let entry): return name(entry, inode, carriedUpTo: surelyLogged[inode] ?? 0)
        case .unlink(let entry): return name(entry, nil)
        case .rename(let from, let to, let mode): return rename(from, to, mode)
        case .setAttributes(let inode, let attributes):
            guard before.attributes[inode] != attributes else { return [] }
            add([.attributes(inode, attributes)], isMetadata: true)
            return [Mark(inode, [.change])]
        case .setExtendedAttribute(let inode, let name, let value):
            let thing = Thing.extendedAttribute(inode, name.description, value?.description)
            guard before.extended[inode]![name.description] != value?.description else { return [] }
            add([thing], isMetadata: true)
            return [Mark(inode, [.change])]
        }
    }

    mutating func add(_ things: [Thing], isMetadata: Bool = false, sharesGroup: Bool = false) {
        let group = sharesGroup ? atoms[atoms.count - 1].group : atoms.count
        atoms.append(Atom(part: partCount, things: things, isMetadata: isMetadata, group: group))
        for thing in things { volatile.apply(thing) }
        partCount += 1
    }

    private mutating func addUnits(_ inode: InodeID, _ cells: Range<Int>, _ letters: [UInt8], _ from: Int) {
        let part = partCount
        for unit in cells.lowerBound / cellsOfUnit...(cells.upperBound - 1) / cellsOfUnit {
            let own = cells.clamped(to: unit * cellsOfUnit..<(unit + 1) * cellsOfUnit)
            add([.data(inode, cells: own.lowerBound...own.upperBound - 1, letter: letters[0])])
            atoms[atoms.count - 1].part = part
            atoms[atoms.count - 1].isWrite = true
        }
        for size in Set(steps(from, cells.upperBound)).union(stops(inode, from, cells.upperBound)).sorted() {
            add([.size(inode, size)])
            atoms[atoms.count - 1].isGrowth = true
        }
    }

    /// Under one order for everything a write comes page by page, each with its size.
    private mutating func addPrefixes(_ inode: InodeID, _ cells: Range<Int>, _ letters: [UInt8], _ from: Int) {
        for page in cells.lowerBound / 8...(cells.upperBound - 1) / 8 {
            let own = cells.clamped(to: page * 8..<(page + 1) * 8)
            add([.data(inode, cells: own.lowerBound...own.upperBound - 1, letter: letters[0])])
            atoms[atoms.count - 1].isWrite = true
            guard own.upperBound > from else { continue }
            add([.size(inode, own.upperBound)], sharesGroup: true)
            atoms[atoms.count - 1].isGrowth = true
        }
    }

    /// The ends of holes and zeroed ranges that come to lie within this growth, while it is what makes the size.
    private func stops(_ inode: InodeID, _ from: Int, _ to: Int) -> Set<Int> {
        guard rules.zeroingStopsGrowth else { return [] }
        var (size, stops) = (to, Set<Int>())
        for case .operation(let operation) in trace.events.dropFirst(time) {
            switch operation.change {
            case .write(inode, let offset, let data): size = max(size, Int((offset + data.countBytes) / 512))
            case .truncate(inode, let other): if Int(other / 512) != size { return stops }
            case .allocate(inode, let offset, let count, let mode):
                let end = Int((offset + count) / 512)
                if mode != .extend, mode != .keepSize, from < end, end < to { stops.insert(end) }
                if mode == .extend || mode == .zeroRange, end > size { return stops }
            default: break
            }
        }
        return stops
    }

    private func steps(_ from: Int, _ to: Int) -> [Int] {
        from < to ? (from + 1...to).filter { $0 % 8 == 0 || $0 == to } : []
    }

    private mutating func resize(
        _ inode: InodeID, to size: Int, zeroing range: Range<Int>, freesEnd: Bool = false
    ) -> [Mark] {
        let end = volatile.contentEnds[inode] ?? 0
        let range = range.clamped(to: 0..<max(end, size))
        let (zeroes, resizes) = (!range.isEmpty && range.lowerBound < end, size != volatile.sizes[inode])
        // Cells of which the whole page is zeroed, or freed; the others are data.
        let whole = range.filter { cell in
            let page = cell / 8 * 8
            return rules.order == .total || page >= range.lowerBound && (page + 8 <= range.upperBound || freesEnd)
        }
        let zeroesWhole = zeroes && !whole.isEmpty
        if zeroesWhole { add([.zero(inode, cells: whole.first!...whole.last!)], isMetadata: true) }
        if resizes { add([.size(inode, size)], isMetadata: true, sharesGroup: zeroesWhole) }
        if zeroes {
            let before = range.lowerBound..<(whole.first ?? range.upperBound)
            var edges = [before, max(before.upperBound, (whole.last ?? -1) + 1)..<range.upperBound]
            // Within two pages, without a whole one, each page's part is an edge of its own.
            if whole.isEmpty, before.lowerBound / 8 != (before.upperBound - 1) / 8 {
                let border = (before.lowerBound / 8 + 1) * 8
                edges = [before.lowerBound..<border, border..<before.upperBound]
            }
            for edge in edges where !edge.isEmpty && edge.lowerBound < end {
                let first = atoms.count
                addUnits(inode, edge, [UInt8(ascii: "0")], edge.upperBound)
                for atom in first..<atoms.count { atoms[atom].isEdge = true }
            }
            if range.upperBound >= end { volatile.contentEnds[inode] = range.lowerBound }
        }
        return zeroes || resizes ? [Mark(inode, [.change, .size])] : []
    }

    private mutating func name(_ entry: DirectoryEntry, _ inode: InodeID?, carriedUpTo: Int = 0) -> [Mark] {
        let old = volatile.names[entry]
        addReturns(entry)
        addName(entry, inode, replacing: old)
        atoms[atoms.count - 1].carriedUpTo = carriedUpTo
        return [Mark(entry.directory, [.change])] + [inode, old].compactMap(\.self).map { Mark($0, [.change, .name]) }
    }

    private mutating func addName(
        _ entry: DirectoryEntry, _ inode: InodeID?, replacing old: InodeID?, sharesGroup: Bool = false
    ) {
        add([.name(entry, inode)], isMetadata: true, sharesGroup: sharesGroup)
        atoms[atoms.count - 1].old = old
    }

    private mutating func rename(_ from: DirectoryEntry, _ to: DirectoryEntry, _ mode: RenameMode) -> [Mark] {
        let (source, target) = (volatile.names[from]!, volatile.names[to])
        guard source != target else { return [] }
        let directories = [source, target].compactMap(\.self).filter { volatile.kinds[$0] == .directory }
        let isMove = from.directory != to.directory
        let splits = rules.renameSplits && directories.isEmpty
        let moves = isMove && (directories.contains(source) || mode == .exchange && !directories.isEmpty)
        addReturns(to)
        addReturns(from)
        addName(to, source, replacing: target)
        atoms[atoms.count - 1].movesDirectory = moves
        let splitsInLog = rules.logsSlots && isMove && directories.isEmpty && mode != .exchange
        addName(
            from, mode == .exchange ? target : nil, replacing: source,
            sharesGroup: !splitsInLog && (!splits || mode == .exchange && !isMove))
        if splitsInLog {
            atoms[atoms.count - 2].joinsUnlessLogged = atoms.count - 1
            atoms[atoms.count - 1].previous = atoms.count - 2
        }
        atoms[atoms.count - 1].movesDirectory = moves && mode == .exchange
        let files = mode == .exchange ? [source, target!] : [source]
        for atom in atoms.count - 2..<atoms.count {
            atoms[atom].oldDirectory = from.directory
            atoms[atom].carriedUpTo = files.map { surelyLogged[$0] ?? 0 }.min()!
        }
        if splits, !isMove, mode != .exchange { atoms[atoms.count - 1].previous = atoms.count - 2 }
        return [Mark(from.directory, [.change]), Mark(to.directory, [.change])]
            + [source, target].compactMap(\.self).map { Mark($0, [.change, .name]) }
    }

    // MARK: - Barriers

    private func scope(_ barrier: Barrier) -> (InodeID, ProfileRules.Scope) {
        switch barrier {
        case .fsync(let inode): (inode, rules.fsync)
        case .fdatasync(let inode): (inode, rules.fdatasync)
        case .flush, .forceUnitAccess: (.root, .everything)
        }
    }

    /// Whether a barrier speaks of a write: a flush of each, FUA of its own alone, the others of those to their file.
    private func speaks(_ barrier: Barrier, of atom: Int) -> Bool {
        switch barrier {
        case .flush: true
        case .forceUnitAccess(let write): atomsOfOperation[write]?.contains(atom) ?? false
        case .fsync(let inode), .fdatasync(let inode): atoms[atom].inode == inode
        }
    }

    private func cut(of barrier: Barrier) -> Int {
        guard case (let inode, .journal(let mark)) = scope(barrier) else { return -1 }
        let kinds: Set<Kind> =
            switch mark {
            case .anyChange: [.change]
            case .sizeChange: [.size]
            case .sizeOrNameChange: [.size, .name]
            }
        let last = marks.filter { $0.inode == inode && !$0.kinds.isDisjoint(with: kinds) }.map(\.atom).max() ?? -1
        // A new size or a new block is in the journal; where data is in it too, every write.
        let data = atoms.indices.last { index in
            let atom = atoms[index]
            let isJournalled = atom.isGrowth || atom.isWrite && (rules.order == .total || fillsHole(index))
            return isJournalled && atom.inode == inode && atom.completedAt <= time
        }
        return max(last, data ?? -1)
    }

    private mutating func end(_ id: OperationID, _ errno: Int32) {
        guard let (barrier, beganAt, cut) = barriers.removeValue(forKey: id) else { return }
        let (inode, scope) = scope(barrier)
        log(barrier, beganAt, errno)
        for (index, atom) in atoms.enumerated() where atom.completedAt < beganAt && !has(mandatory, index) {
            guard errno != 0, atom.isWrite, speaks(barrier, of: index) else { continue }
            atoms[index].isUnsyncable = true
            // The size is metadata then, which may commit although the data failed.
            for other in index + 1..<atoms.count where atoms[other].group == atom.group { atoms[other].group = other }
        }
        guard errno == 0 else { return }
        let mandatoryBefore = mandatory
        for (index, atom) in atoms.enumerated() where isPromised(atom, index, inode, scope, beganAt, cut) {
            if case .forceUnitAccess = barrier, !atom.isWrite && !atom.isGrowth || !speaks(barrier, of: index) {
                continue
            }
            mandatory |= 1 << UInt64(index)
        }
        mandatory = closed(mandatory)
        guard rules.logsSlots, logBegan != nil else { return }
        if let inode = synced(by: barrier) { replaced = replaced.filter { $0.key.directory != inode } }
        for index in atoms.indices where has(mandatory & ~mandatoryBefore, index) {
            guard case .name(let entry, let new) = atoms[index].things[0] else { continue }
            keepReplaced(entry, by: index, new, barrier)
            for child in [new, atoms[index].old].compactMap(\.self) {
                loggedAt[child] = max(loggedAt[child] ?? 0, atoms.count)
            }
        }
    }

    func closed(_ set: UInt64) -> UInt64 {
        let needs = atoms.indices.map { allNeeds(of: $0, committing: true) }
        var set = set
        while true {
            var larger = set
            for index in atoms.indices where has(set, index) { larger |= needs[index] }
            if larger == set { return set }
            set = larger
        }
    }
}

func has(_ set: UInt64, _ index: Int) -> Bool { set >> UInt64(index) & 1 == 1 }

extension NaiveModel.Atom {
    var inode: InodeID {
        switch things[0] {
        case .data(let inode, _, _), .zero(let inode, _), .size(let inode, _), .attributes(let inode, _),
            .extendedAttribute(let inode, _, _):
            inode
        case .name(let entry, _): entry.directory
        }
    }
}
