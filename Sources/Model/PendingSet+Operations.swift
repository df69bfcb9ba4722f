import Bytes

extension PendingSet {
    /// The inodes whose metadata an operation changed, by what it changed of them.
    struct Touched: Sendable {
        /// A directory, or the file.
        var first: InodeID?
        var second: InodeID?
        /// Inodes that were given a name or lost one.
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
        if let at = inodes.index(forKey: flight.inode) {
            for number in flight.numbers {
                if let index = inodes.values[at].data.index(of: number) {
                    inodes.values[at].data[index].completedAt = eventCount
                } else if let index = inodes.values[at].others.index(of: number) {
                    inodes.values[at].others[index].completedAt = eventCount
                }
            }
        }
        touch(flight.touched, number: flight.numbers.upperBound - 1)
        touchData(flight.inode, flight.numbers)
    }

    /// Where data is in the journal, a journal is written up to the last write too.
    private mutating func touchData(_ inode: InodeID, _ numbers: Range<Int>) {
        guard rules.order == .total, !rules.everythingPersists, !numbers.isEmpty,
            let index = ordered.index(of: numbers.lowerBound), ordered[index].isWrite || ordered[index].isGrowth
        else { return }
        inodes[inode]?.lastDataChange.raise(to: numbers.upperBound - 1)
    }

    private mutating func touch(_ touched: Touched, number: Int? = nil) {
        guard rules.order != .slots else { return }
        // An allocation that changes nothing visible has no part; a journal is written up to it all the same.
        let number = number ?? lastMetadataNumber
        for case let inode? in [touched.first, touched.second] {
            inodes[inode]?.lastChange.raise(to: number)
            if touched.isResized { inodes[inode]?.lastSizeChange.raise(to: number) }
        }
        for case let inode? in [touched.named, touched.unnamed] {
            inodes[inode]?.lastChange.raise(to: number)
            inodes[inode]?.lastNameChange.raise(to: number)
        }
    }

    /// Appends the parts of one operation and says what metadata it touched; nil when it changes nothing. Operations on inodes that
    /// nothing can reach any more have no parts.
    private mutating func split(_ operation: Operation) -> Touched? {
        switch operation.change {
        case .write(let inode, let offset, let data):
            return write(inode, offset, data, operation)
        case .truncate(let inode, let size):
            return resize(
                inode, to: size, zeroing: size..<max(size, inodes[inode]?.sizeBytes ?? 0), freesEnd: true, operation)
        case .allocate(let inode, let offset, let count, let mode):
            return allocate(inode, offset..<offset + count, mode, operation)
        case .create(let inode, let kind, let attributes, let entry):
            guard inodes[entry.directory] != nil, inodes[inode] == nil else { return nil }
            let node = Node(kind: kind, attributes: attributes)
            durable.nodes[inode] = node
            inodes[inode] = InodeState()
            inodes[inode]!.take(node, keepingContent: payloads != nil)
            return name(entry, inode, operation)
        case .link(let inode, let entry):
            return inodes[inode] == nil ? nil : name(entry, inode, operation)
        case .unlink(let entry):
            return name(entry, nil, operation)
        case .rename(let from, let to, let mode):
            return rename(from, to, mode, operation)
        case .setAttributes(let inode, let attributes):
            guard let at = inodes.index(forKey: inode), inodes.values[at].attributes != attributes else { return nil }
            inodes.values[at].attributes = attributes
            append(.attributes(inode, attributes), of: operation)
            return Touched(first: inode)
        case .setExtendedAttribute(let inode, let name, let value):
            guard let at = inodes.index(forKey: inode), inodes.values[at].extendedAttributes[name] != value else {
                return nil
            }
            inodes.values[at].extendedAttributes[name] = value
            append(.extendedAttribute(inode, name: name, value: value), of: operation)
            return Touched(first: inode)
        }
    }

    private mutating func write(
        _ inode: InodeID, _ offset: UInt64, _ data: Payload, _ operation: Operation
    ) -> Touched? {
        guard data.countBytes > 0, let at = inodes.index(forKey: inode) else { return nil }
        let end = offset + data.countBytes
        var part = makePart(.write(inode, offsetBytes: offset, data: data), of: operation)
        if payloads != nil { part.gone = unchangedBytes(of: data, at: offset, in: inodes.values[at]) }
        inodes.values[at].content?.write(data, at: offset)
        let size = inodes.values[at].sizeBytes
        inodes.values[at].contentEndBytes.raise(to: end)
        if part.gone.isEmpty || !part.pendingBytes.isEmpty { enter(part, at) }
        if end > size {
            inodes.values[at].sizeBytes = end
            enter(makePart(.grow(inode, from: size, to: end), of: operation, index: 1), at)
        }
        return Touched()
    }

    /// Zeroes a run and sets the size. Whole pages are metadata and go with the size. The rest of a page at an edge the
    /// kernel zeroes in the page cache: that is data, and reaches the disk when it likes (own experiment on kernel 6.18:
    /// ext4, xfs, and of punches btrfs). Where a file is cut, all behind its new last page is freed.
    private mutating func resize(
        _ inode: InodeID, to size: UInt64, zeroing range: Range<UInt64>, freesEnd: Bool = false, _ operation: Operation
    ) -> Touched? {
        guard let state = inodes[inode] else { return nil }
        let resizes = size != state.sizeBytes
        let range = range.clamped(to: 0..<max(state.contentEndBytes, size))
        let zeroes = !range.isEmpty && range.lowerBound < state.contentEndBytes
        // Under one order for everything nothing comes apart.
        let whole = rules.order == .total ? range : range.wholePages(freeingItsEnd: freesEnd)
        let zeroesWhole = zeroes && !whole.isEmpty
        if zeroesWhole { append(.zero(inode, whole), of: operation, bond: resizes ? .joinsNext : .none) }
        if resizes {
            append(.resize(inode, to: size), of: operation, index: zeroesWhole ? 1 : 0)
            inodes[inode]!.sizeBytes = size
        }
        if zeroes {
            for (place, edge) in range.edges(around: whole).enumerated() where edge.lowerBound < state.contentEndBytes {
                let zeros = Payload.zeros(countBytes: edge.upperBound - edge.lowerBound)
                let part = makePart(
                    .write(inode, offsetBytes: edge.lowerBound, data: zeros), of: operation, index: UInt8(2 + place))
                if let at = inodes.index(forKey: inode) { enter(part, at) }
            }
            if range.upperBound >= state.contentEndBytes { inodes[inode]!.contentEndBytes = range.lowerBound }
            inodes[inode]!.content?.zero(range)
        }
        return zeroes || resizes ? Touched(first: inode, isResized: true) : nil
    }

    private mutating func allocate(
        _ inode: InodeID, _ range: Range<UInt64>, _ mode: Allocation, _ operation: Operation
    ) -> Touched? {
        let size = inodes[inode]?.sizeBytes ?? 0
        let visible = min(range.lowerBound, size)..<min(range.upperBound, size)
        let nothing = size..<size
        switch mode {
        case .extend, .keepSize:
            // A journal is written up to an allocation even where no reader can see it.
            let end = mode == .extend ? max(size, range.upperBound) : size
            return resize(inode, to: end, zeroing: nothing, operation) ?? Touched(first: inode, isResized: true)
        case .punchHole, .zeroRangeKeepSize: return resize(inode, to: size, zeroing: visible, operation)
        case .zeroRange: return resize(inode, to: max(size, range.upperBound), zeroing: visible, operation)
        }
    }

    private mutating func name(_ entry: Entry, _ inode: InodeID?, _ operation: Operation) -> Touched? {
        let old = names[entry]
        guard inodes[entry.directory] != nil, old != inode else { return nil }
        appendName(entry, inode, of: operation)
        return Touched(first: entry.directory, named: inode, unnamed: old)
    }

    private mutating func rename(_ from: Entry, _ to: Entry, _ mode: RenameMode, _ operation: Operation) -> Touched? {
        guard let source = names[from], inodes[to.directory] != nil else { return nil }
        let target = names[to]
        guard source != target else { return nil }
        let isMove = from.directory != to.directory
        let moves = isMove && (isDirectory(source) || mode == .exchange && target.map(isDirectory) == true)
        // Directories move in one step whatever the profile: two names of one would be two of all within.
        let splits = rules.renameSplits && !isDirectory(source) && !(target.map(isDirectory) ?? false)
        if mode == .exchange {
            guard let target else { return nil }
            let bond: Part.Bond = splits && isMove ? .none : .joinsNext
            appendName(to, source, of: operation, bond: bond, moves: moves)
            appendName(from, target, of: operation, index: 1, moves: moves)
        } else {
            let bond: Part.Bond = splits ? .none : .joinsNext
            appendName(to, source, of: operation, bond: bond, moves: moves)
            appendName(from, nil, of: operation, index: 1, bond: splits && !isMove ? .needsPrevious : .none)
        }
        return Touched(first: from.directory, second: to.directory, named: source, unnamed: target)
    }

    private func isDirectory(_ inode: InodeID) -> Bool { durable.nodes[inode]?.kind == .directory }

    private mutating func appendName(
        _ entry: Entry, _ inode: InodeID?, of operation: Operation, index: UInt8 = 0, bond: Part.Bond = .none,
        moves: Bool = false
    ) {
        let old = names.updateValueOrRemove(inode, forKey: entry)
        var part = makePart(.name(entry, inode), of: operation, index: index)
        part.bond = bond
        part.movesDirectory = moves
        if rules.order == .slots { chain(&part, entry, [inode, old]) }
        enter(part)
        if let inode { inodes[inode]?.nameCount += 1 }
    }
}

extension PendingSet {
    /// Notes what a name needs and whose name it is, so that a barrier on one inode finds its names among all.
    private mutating func chain(_ part: inout Part, _ entry: Entry, _ children: [InodeID?]) {
        let number = nextNumber
        part.previousVersion = latestNames.updateValue(number, forKey: entry) ?? -1
        if part.movesDirectory {
            part.previousMove = latestMove
            latestMove = number
        }
        // What is durable by now is forgotten before it makes up half of the memory.
        if latestNames.count > 2 * ordered.count + 32 {
            latestNames = latestNames.filter { $0.value == number || ordered.index(of: $0.value) != nil }
        }
        for case let child? in children {
            guard let at = inodes.index(forKey: child) else { continue }
            let count = inodes.values[at].ownNames.count
            if count > 16, count & (count - 1) == 0 {
                inodes.values[at].ownNames.removeAll { ordered.index(of: $0) == nil }
            }
            inodes.values[at].ownNames.append(number)
        }
    }

    private mutating func append(
        _ effect: Effect, of operation: Operation, index: UInt8 = 0, bond: Part.Bond = .none
    ) {
        var part = makePart(effect, of: operation, index: index)
        part.bond = bond
        enter(part)
    }

    private func makePart(_ effect: Effect, of operation: Operation, index: UInt8 = 0) -> Part {
        Part(
            number: 0, operation: operation.id, effect: effect,
            completedAt: operation.isComplete ? eventCount : .max, index: index)
    }

    /// Gives a part its number and puts it where barriers find it.
    private mutating func enter(_ part: Part, _ place: Dictionary<InodeID, InodeState>.Index? = nil) {
        var part = part
        part.number = nextNumber
        nextNumber += 1
        if part.effect.isMetadata { lastMetadataNumber = part.number }
        register(part, place)
    }

    mutating func register(_ part: Part, _ place: Dictionary<InodeID, InodeState>.Index? = nil) {
        guard let at = place ?? inodes.index(forKey: part.effect.inode) else { return }
        partCount += 1
        let isName = if case .name = part.effect { true } else { false }
        if rules.order == .total || isName || rules.order == .metadata && part.effect.isMetadata {
            ordered.append(part)
            inodes.values[at].orderedCount += 1
        } else {
            switch part.effect {
            case .attributes, .extendedAttribute: inodes.values[at].others.append(part)
            default: inodes.values[at].data.append(part)
            }
        }
    }
}

extension Change {
    /// The inode whose slots it changes; for names, the directory of the first.
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
    /// Sets or removes, and returns what was there.
    fileprivate mutating func updateValueOrRemove(_ value: Value?, forKey key: Key) -> Value? {
        if let value { updateValue(value, forKey: key) } else { removeValue(forKey: key) }
    }
}

extension Comparable {
    mutating func raise(to value: Self) { self = Swift.max(self, value) }
}

extension Range<UInt64> {
    /// The pages that lie within the range as a whole; with a freed end, to the end of the range.
    fileprivate func wholePages(freeingItsEnd freesEnd: Bool) -> Range<UInt64> {
        let first = (lowerBound + pageBytes - 1) / pageBytes * pageBytes
        let end = freesEnd ? upperBound : upperBound / pageBytes * pageBytes
        return first..<Swift.max(first, end)
    }

    /// What of the range lies before and behind the pages within it.
    fileprivate func edges(around pages: Range<UInt64>) -> [Range<UInt64>] {
        let before = lowerBound..<Swift.min(upperBound, pages.lowerBound)
        let behind = Swift.max(before.upperBound, Swift.min(upperBound, pages.upperBound))..<upperBound
        return [before, behind].filter { !$0.isEmpty }
    }
}
