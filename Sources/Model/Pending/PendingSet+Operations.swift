import Bytes

extension PendingSet {
    /// The inodes whose metadata an operation changed, by kind of change.
    struct Touched: Sendable {
        /// The changed directory or file.
        var first: InodeID?
        var second: InodeID?
        /// The inodes that got a name or lost one.
        var named: InodeID?
        var unnamed: InodeID?
        var isResized = false
    }

    mutating func add(_ operation: Operation) {
        let first = nextNumber
        guard let touched = split(operation) else { return }
        if operation.isComplete {
            touch(touched)
            touchData(operation.change.inode, first..<nextNumber)
        } else if nextNumber > first {
            inFlight[operation.id] = InFlight(
                numbers: first..<nextNumber, inode: operation.change.inode, touched: touched)
        }
    }

    mutating func complete(_ id: OperationID) {
        guard let flight = inFlight.removeValue(forKey: id) else { return }
        for number in flight.numbers {
            if let index = ordered.index(of: number) { ordered[index].completedAt = eventCount }
        }
        if let at = inodes.index(of: flight.inode) {
            for number in flight.numbers {
                if let index = inodes[at: at].data.index(of: number) {
                    inodes[at: at].data[index].completedAt = eventCount
                } else if let index = inodes[at: at].others.index(of: number) {
                    inodes[at: at].others[index].completedAt = eventCount
                }
            }
        }
        touch(flight.touched, number: flight.numbers.upperBound - 1)
        touchData(flight.inode, flight.numbers)
    }

    /// For data=journal: an fsync also writes the journal up to the last write.
    private mutating func touchData(_ inode: InodeID, _ numbers: Range<Int>) {
        guard rules.order == .total, !rules.everythingPersists, !numbers.isEmpty,
            let index = ordered.index(of: numbers.lowerBound), ordered[index].isWrite || ordered[index].isGrowth
        else { return }
        if let at = inodes.index(of: inode) { inodes[at: at].lastDataChange.raise(to: numbers.upperBound - 1) }
    }

    private mutating func touch(_ touched: Touched, number: Int? = nil) {
        guard !rules.queuesSlots, touched.first != nil || touched.named != nil || touched.unnamed != nil else {
            return
        }
        // An allocation without a visible change has no effect, but an fsync still writes the journal up to it.
        let number = number ?? lastMetadataNumber
        func touch(_ inode: InodeID?, isResized: Bool = false, isNamed: Bool = false) {
            guard let inode, let at = inodes.index(of: inode) else { return }
            inodes[at: at].lastChange.raise(to: number)
            if isResized { inodes[at: at].lastSizeChange.raise(to: number) }
            if isNamed { inodes[at: at].lastNameChange.raise(to: number) }
        }
        touch(touched.first, isResized: touched.isResized)
        touch(touched.second, isResized: touched.isResized)
        touch(touched.named, isNamed: true)
        touch(touched.unnamed, isNamed: true)
    }

    /// Appends the effects of one operation. Returns the metadata that it touched; nil if it changes nothing. Operations on
    /// unreachable inodes have no effects.
    private mutating func split(_ operation: Operation) -> Touched? {
        switch operation.change {
        case .write(let inode, let offset, let data):
            return write(inode, offset, data, operation)
        case .truncate(let inode, let size):
            return resize(
                inode, to: size, zeroing: size..<max(size, sizeBytes(of: inode)), freesEnd: true, operation)
        case .allocate(let inode, let offset, let count, let mode):
            return allocate(inode, offset..<offset + count, mode, operation)
        case .create(let inode, let kind, let attributes, let entry):
            guard inodes.contains(entry.directory), !inodes.contains(inode) else { return nil }
            let node = Node(kind: kind, attributes: attributes)
            durable.change(inode) { $0 = node }
            inodes[at: inodes.insert(inode)].take(node, keepingContent: keepsContent)
            return name(entry, inode, operation)
        case .link(let inode, let entry):
            guard inodes.contains(inode) else { return nil }
            return name(entry, inode, operation, logged: LogTree.Name(carriedBy: [inode], inodes))
        case .unlink(let entry):
            return name(entry, nil, operation)
        case .rename(let from, let to, let mode):
            return rename(from, to, mode, operation)
        case .setAttributes(let inode, let attributes):
            guard let at = inodes.index(of: inode), inodes[at: at].attributes != attributes else { return nil }
            inodes[at: at].attributes = attributes
            append(.attributes(inode, attributes), of: operation)
            return Touched(first: inode)
        case .setExtendedAttribute(let inode, let name, let value):
            guard let at = inodes.index(of: inode), inodes[at: at].extendedAttributes[name] != value else {
                return nil
            }
            inodes[at: at].extendedAttributes[name] = value
            append(.extendedAttribute(inode, name: name, value: value), of: operation)
            return Touched(first: inode)
        }
    }

    private mutating func write(
        _ inode: InodeID, _ offset: UInt64, _ data: Payload, _ operation: Operation
    ) -> Touched? {
        guard data.countBytes > 0, let at = inodes.index(of: inode) else { return nil }
        let end = offset + data.countBytes
        var pending = PendingEffect(.write(inode, offsetBytes: offset, data: data), of: operation, at: eventCount)
        if keepsContent {
            pending.excludedBytes = unchangedBytes(of: data, at: offset, in: inodes[at: at])
            inodes[at: at].content?.write(data, at: offset)
        }
        let size = inodes[at: at].write(upTo: end)
        if pending.excludedBytes.isEmpty || !pending.pendingBytes.isEmpty { enter(pending, at) }
        if end > size {
            enter(PendingEffect(.grow(inode, from: size, to: end), of: operation, at: eventCount, index: 1), at)
        }
        return Touched()
    }

    /// Zeroes a run and sets the size. Whole pages are metadata and are bonded to the size. At an edge within a page the
    /// kernel zeroes the page cache: that is data, written back at any time (own experiment on kernel 6.18: ext4, xfs, and
    /// btrfs for punched holes). `freesEnd`: a truncate frees everything after the new last page.
    private mutating func resize(
        _ inode: InodeID, to size: UInt64, zeroing range: Range<UInt64>, freesEnd: Bool = false, _ operation: Operation
    ) -> Touched? {
        guard let at = inodes.index(of: inode) else { return nil }
        let (resizes, contentEnd) = (size != inodes[at: at].sizeBytes, inodes[at: at].contentEndBytes)
        let range = range.clamped(to: 0..<max(contentEnd, size))
        let zeroes = !range.isEmpty && range.lowerBound < contentEnd
        // Under a total order the edges are not separate.
        let whole = rules.order == .total ? range : range.wholePages(freeingItsEnd: freesEnd)
        let zeroesWhole = zeroes && !whole.isEmpty
        if zeroesWhole { append(.zero(inode, whole), of: operation, dependency: resizes ? .joinsNext : .none) }
        if resizes {
            append(.resize(inode, to: size), of: operation, index: zeroesWhole ? 1 : 0)
            inodes[at: at].sizeBytes = size
            inodes[at: at].resizedAt = nextNumber
        }
        if zeroes {
            for (edgeIndex, edge) in range.edges(around: whole).enumerated() where edge.lowerBound < contentEnd {
                let zeros = Payload.zeros(countBytes: edge.upperBound - edge.lowerBound)
                let pending = PendingEffect(
                    .write(inode, offsetBytes: edge.lowerBound, data: zeros), of: operation, at: eventCount,
                    index: PendingEffect.firstEdgeIndex + UInt8(edgeIndex))
                enter(pending, at)
            }
            if range.upperBound >= contentEnd { inodes[at: at].contentEndBytes = range.lowerBound }
            inodes[at: at].content?.zero(range)
        }
        return zeroes || resizes ? Touched(first: inode, isResized: true) : nil
    }

    private mutating func allocate(
        _ inode: InodeID, _ range: Range<UInt64>, _ mode: Allocation, _ operation: Operation
    ) -> Touched? {
        let size = sizeBytes(of: inode)
        let visible = min(range.lowerBound, size)..<min(range.upperBound, size)
        let nothing = size..<size
        if mode.zeroes, let at = inodes.index(of: inode) { stopGrowth(at, range.upperBound) }
        switch mode {
        case .extend, .keepSize:
            // An fsync writes the journal up to an allocation even if no reader can see the change.
            let end = mode == .extend ? max(size, range.upperBound) : size
            return resize(inode, to: end, zeroing: nothing, operation) ?? Touched(first: inode, isResized: true)
        case .punchHole, .zeroRangeKeepSize: return resize(inode, to: size, zeroing: visible, operation)
        case .zeroRange: return resize(inode, to: max(size, range.upperBound), zeroing: visible, operation)
        }
    }

    /// Adds the end of a zeroed range to the sizes that may survive, for pending growth that goes beyond it.
    private mutating func stopGrowth(_ at: Int, _ size: UInt64) {
        guard rules.zeroingStopsGrowth else { return }
        let first = inodes[at: at].data.firstIndex(from: inodes[at: at].resizedAt)
        for index in first..<inodes[at: at].data.endIndex { inodes[at: at].data[index].stop(at: size) }
    }

    private func sizeBytes(of inode: InodeID) -> UInt64 {
        inodes.index(of: inode).map { inodes[at: $0].sizeBytes } ?? 0
    }

    private mutating func name(
        _ entry: DirectoryEntry, _ inode: InodeID?, _ operation: Operation, logged: LogTree.Name = LogTree.Name()
    ) -> Touched? {
        let old = names[entry]
        guard inodes.contains(entry.directory), old != inode else { return nil }
        returnReplaced(at: [entry], before: operation)
        appendName(entry, inode, of: operation, logged: logged)
        return Touched(first: entry.directory, named: inode, unnamed: old)
    }

    private mutating func rename(
        _ from: DirectoryEntry, _ to: DirectoryEntry, _ mode: RenameMode, _ operation: Operation
    ) -> Touched? {
        guard let source = names[from], inodes.contains(to.directory) else { return nil }
        let target = names[to]
        guard source != target else { return nil }
        let isMove = from.directory != to.directory
        let moves = isMove && (isDirectory(source) || mode == .exchange && target.map(isDirectory) == true)
        // Directories move in one step under every profile: a directory with two names would duplicate its content.
        returnReplaced(at: [to, from], before: operation)
        var logged = LogTree.Name(carriedBy: [source] + (mode == .exchange ? [target].compactMap(\.self) : []), inodes)
        logged.oldDirectory = from.directory
        let splits = rules.renameSplits && !isDirectory(source) && !(target.map(isDirectory) ?? false)
        if mode == .exchange {
            guard let target else { return nil }
            let dependency: PendingEffect.SurvivalDependency = splits && isMove ? .none : .joinsNext
            appendName(to, source, of: operation, dependency: dependency, moves: moves, logged: logged)
            appendName(from, target, of: operation, index: 1, moves: moves, logged: logged)
        } else {
            let splitsInLog = rules.logsSlots && isMove && !isDirectory(source) && !(target.map(isDirectory) ?? false)
            let dependency: PendingEffect.SurvivalDependency =
                splits ? .none : splitsInLog ? .joinsNextUnlessLogged : .joinsNext
            appendName(to, source, of: operation, dependency: dependency, moves: moves, logged: logged)
            let requiresPrevious = splits && !isMove || splitsInLog
            appendName(
                from, nil, of: operation, index: 1, dependency: requiresPrevious ? .requiresPrevious : .none,
                logged: logged)
        }
        return Touched(first: from.directory, second: to.directory, named: source, unnamed: target)
    }

    func isDirectory(_ inode: InodeID) -> Bool { durable.nodes[inode]?.kind == .directory }

    private mutating func appendName(
        _ entry: DirectoryEntry, _ inode: InodeID?, of operation: Operation, index: UInt8 = 0,
        dependency: PendingEffect.SurvivalDependency = .none, moves: Bool = false, logged: LogTree.Name
    ) {
        let old = names.updateValueOrRemove(inode, forKey: entry)
        var pending = PendingEffect(.name(entry, inode), of: operation, at: eventCount, index: index)
        pending.dependency = dependency
        pending.movesDirectory = moves
        if rules.queuesSlots { chain(&pending, entry, [inode, old]) }
        if rules.logsSlots { note(logged, replacing: old) }
        enter(pending)
        if let inode, let at = inodes.index(of: inode) { inodes[at: at].nameCount += 1 }
    }
}

extension PendingSet {
    /// Records the previous version of a name and whose name it is, so that a barrier on an inode finds its names.
    mutating func chain(_ pending: inout PendingEffect, _ entry: DirectoryEntry, _ children: [InodeID?]) {
        let number = nextNumber
        pending.previousVersion = latestNames.updateValue(number, forKey: entry) ?? -1
        if pending.movesDirectory {
            pending.previousMove = latestMove
            latestMove = number
        }
        // Durable names are dropped before they make up half of the memory.
        if latestNames.count > 2 * ordered.count + 32 {
            latestNames = latestNames.filter { $0.value == number || ordered.index(of: $0.value) != nil }
        }
        for case let child? in children {
            guard let at = inodes.index(of: child) else { continue }
            let count = inodes[at: at].ownNames.count
            if count > 16, count & (count - 1) == 0 {
                inodes[at: at].ownNames.removeAll { ordered.index(of: $0) == nil }
            }
            inodes[at: at].ownNames.append(number)
        }
    }

    private mutating func append(
        _ effect: Effect, of operation: Operation, index: UInt8 = 0,
        dependency: PendingEffect.SurvivalDependency = .none
    ) {
        var pending = PendingEffect(effect, of: operation, at: eventCount, index: index)
        pending.dependency = dependency
        enter(pending)
    }

    /// Gives an effect its number and adds it to the queue in which barriers find it.
    mutating func enter(_ pending: consuming PendingEffect, _ inodeIndex: Int? = nil) {
        pending.number = nextNumber
        nextNumber += 1
        if pending.effect.isMetadata { lastMetadataNumber = pending.number }
        register(pending, inodeIndex)
    }

    mutating func register(_ pending: consuming PendingEffect, _ inodeIndex: Int? = nil) {
        guard let at = inodeIndex ?? inodes.index(of: pending.effect.inode) else { return }
        effectCount += 1
        let kind = pending.effect.kind
        if rules.order == .total || kind == .name || !rules.queuesSlots && pending.effect.isMetadata {
            ordered.append(pending)
            inodes[at: at].orderedCount += 1
        } else if kind == .attribute {
            inodes[at: at].others.append(pending)
        } else {
            inodes[at: at].data.append(pending)
        }
    }
}

extension Change {
    /// The inode whose slots it changes; for names, the directory of the first name.
    fileprivate var inode: InodeID {
        switch self {
        case .write(let inode, _, _), .truncate(let inode, _), .allocate(let inode, _, _, _),
            .setAttributes(let inode, _), .setExtendedAttribute(let inode, _, _):
            inode
        case .create(_, _, _, let entry), .link(_, let entry), .unlink(let entry), .rename(let entry, _, _):
            entry.directory
        }
    }
}

extension Dictionary where Value: Sendable {
    /// Sets or removes the value of `key`. Returns the old value.
    fileprivate mutating func updateValueOrRemove(_ value: Value?, forKey key: Key) -> Value? {
        if let value { updateValue(value, forKey: key) } else { removeValue(forKey: key) }
    }
}

extension Comparable {
    mutating func raise(to value: Self) { self = Swift.max(self, value) }
}

extension Range<UInt64> {
    /// The whole pages within the range; with `freesEnd`, up to the end of the range.
    fileprivate func wholePages(freeingItsEnd freesEnd: Bool) -> Range<UInt64> {
        let first = (lowerBound + pageBytes - 1) / pageBytes * pageBytes
        let end = freesEnd ? upperBound : upperBound / pageBytes * pageBytes
        return first..<Swift.max(first, end)
    }

    /// The parts of the range before and after `pages`.
    fileprivate func edges(around pages: Range<UInt64>) -> [Range<UInt64>] {
        let before = lowerBound..<Swift.min(upperBound, pages.lowerBound)
        let behind = Swift.max(before.upperBound, Swift.min(upperBound, pages.upperBound))..<upperBound
        return [before, behind].filter { !$0.isEmpty }
    }
}
