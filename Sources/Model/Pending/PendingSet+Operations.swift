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
        if let at = inodes.place(of: flight.inode) {
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

    /// Where data is in the journal, a journal is written up to the last write too.
    private mutating func touchData(_ inode: InodeID, _ numbers: Range<Int>) {
        guard rules.order == .total, !rules.everythingPersists, !numbers.isEmpty,
            let index = ordered.index(of: numbers.lowerBound), ordered[index].isWrite || ordered[index].isGrowth
        else { return }
        if let at = inodes.place(of: inode) { inodes[at: at].lastDataChange.raise(to: numbers.upperBound - 1) }
    }

    private mutating func touch(_ touched: Touched, number: Int? = nil) {
        guard rules.order != .slots, touched.first != nil || touched.named != nil || touched.unnamed != nil else {
            return
        }
        // An allocation that changes nothing visible has no part; a journal is written up to it all the same.
        let number = number ?? lastMetadataNumber
        func touch(_ inode: InodeID?, isResized: Bool = false, isNamed: Bool = false) {
            guard let inode, let at = inodes.place(of: inode) else { return }
            inodes[at: at].lastChange.raise(to: number)
            if isResized { inodes[at: at].lastSizeChange.raise(to: number) }
            if isNamed { inodes[at: at].lastNameChange.raise(to: number) }
        }
        touch(touched.first, isResized: touched.isResized)
        touch(touched.second, isResized: touched.isResized)
        touch(touched.named, isNamed: true)
        touch(touched.unnamed, isNamed: true)
    }

    /// Appends the parts of one operation and says what metadata it touched; nil when it changes nothing. Operations on inodes that
    /// nothing can reach any more have no parts.
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
            durable.nodes[inode] = node
            inodes[at: inodes.insert(inode)].take(node, keepingContent: keepsContent)
            return name(entry, inode, operation)
        case .link(let inode, let entry):
            return inodes.contains(inode) ? name(entry, inode, operation) : nil
        case .unlink(let entry):
            return name(entry, nil, operation)
        case .rename(let from, let to, let mode):
            return rename(from, to, mode, operation)
        case .setAttributes(let inode, let attributes):
            guard let at = inodes.place(of: inode), inodes[at: at].attributes != attributes else { return nil }
            inodes[at: at].attributes = attributes
            append(.attributes(inode, attributes), of: operation)
            return Touched(first: inode)
        case .setExtendedAttribute(let inode, let name, let value):
            guard let at = inodes.place(of: inode), inodes[at: at].extendedAttributes[name] != value else {
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
        guard data.countBytes > 0, let at = inodes.place(of: inode) else { return nil }
        let end = offset + data.countBytes
        var part = PendingEffect(.write(inode, offsetBytes: offset, data: data), of: operation, at: eventCount)
        if keepsContent {
            part.gone = unchangedBytes(of: data, at: offset, in: inodes[at: at])
            inodes[at: at].content?.write(data, at: offset)
        }
        let size = inodes[at: at].write(upTo: end)
        if part.gone.isEmpty || !part.pendingBytes.isEmpty { enter(part, at) }
        if end > size {
            enter(PendingEffect(.grow(inode, from: size, to: end), of: operation, at: eventCount, index: 1), at)
        }
        return Touched()
    }

    /// Zeroes a run and sets the size. Whole pages are metadata and go with the size. The rest of a page at an edge the
    /// kernel zeroes in the page cache: that is data, and reaches the disk when it likes (own experiment on kernel 6.18:
    /// ext4, xfs, and of punches btrfs). Where a file is cut, all behind its new last page is freed.
    private mutating func resize(
        _ inode: InodeID, to size: UInt64, zeroing range: Range<UInt64>, freesEnd: Bool = false, _ operation: Operation
    ) -> Touched? {
        guard let at = inodes.place(of: inode) else { return nil }
        let (resizes, contentEnd) = (size != inodes[at: at].sizeBytes, inodes[at: at].contentEndBytes)
        let range = range.clamped(to: 0..<max(contentEnd, size))
        let zeroes = !range.isEmpty && range.lowerBound < contentEnd
        // Under one order for everything nothing comes apart.
        let whole = rules.order == .total ? range : range.wholePages(freeingItsEnd: freesEnd)
        let zeroesWhole = zeroes && !whole.isEmpty
        if zeroesWhole { append(.zero(inode, whole), of: operation, bond: resizes ? .joinsNext : .none) }
        if resizes {
            append(.resize(inode, to: size), of: operation, index: zeroesWhole ? 1 : 0)
            inodes[at: at].sizeBytes = size
            inodes[at: at].resizedAt = nextNumber
        }
        if zeroes {
            for (place, edge) in range.edges(around: whole).enumerated() where edge.lowerBound < contentEnd {
                let zeros = Payload.zeros(countBytes: edge.upperBound - edge.lowerBound)
                let part = PendingEffect(
                    .write(inode, offsetBytes: edge.lowerBound, data: zeros), of: operation, at: eventCount,
                    index: UInt8(2 + place))
                enter(part, at)
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
        if mode.zeroes, let at = inodes.place(of: inode) { stopGrowth(at, range.upperBound) }
        switch mode {
        case .extend, .keepSize:
            // A journal is written up to an allocation even where no reader can see it.
            let end = mode == .extend ? max(size, range.upperBound) : size
            return resize(inode, to: end, zeroing: nothing, operation) ?? Touched(first: inode, isResized: true)
        case .punchHole, .zeroRangeKeepSize: return resize(inode, to: size, zeroing: visible, operation)
        case .zeroRange: return resize(inode, to: max(size, range.upperBound), zeroing: visible, operation)
        }
    }

    /// The end of a zeroed range is a size that may survive, where growth that is not durable goes beyond it.
    private mutating func stopGrowth(_ at: Int, _ size: UInt64) {
        guard rules.zeroingStopsGrowth else { return }
        let first = inodes[at: at].data.firstIndex(from: inodes[at: at].resizedAt)
        for index in first..<inodes[at: at].data.endIndex { inodes[at: at].data[index].stop(at: size) }
    }

    private func sizeBytes(of inode: InodeID) -> UInt64 {
        inodes.place(of: inode).map { inodes[at: $0].sizeBytes } ?? 0
    }

    private mutating func name(_ entry: Entry, _ inode: InodeID?, _ operation: Operation) -> Touched? {
        let old = names[entry]
        guard inodes.contains(entry.directory), old != inode else { return nil }
        appendName(entry, inode, of: operation)
        return Touched(first: entry.directory, named: inode, unnamed: old)
    }

    private mutating func rename(_ from: Entry, _ to: Entry, _ mode: RenameMode, _ operation: Operation) -> Touched? {
        guard let source = names[from], inodes.contains(to.directory) else { return nil }
        let target = names[to]
        guard source != target else { return nil }
        let isMove = from.directory != to.directory
        let moves = isMove && (isDirectory(source) || mode == .exchange && target.map(isDirectory) == true)
        // Directories move in one step whatever the profile: two names of one would be two of all within.
        let splits = rules.renameSplits && !isDirectory(source) && !(target.map(isDirectory) ?? false)
        if mode == .exchange {
            guard let target else { return nil }
            let bond: PendingEffect.Bond = splits && isMove ? .none : .joinsNext
            appendName(to, source, of: operation, bond: bond, moves: moves)
            appendName(from, target, of: operation, index: 1, moves: moves)
        } else {
            let bond: PendingEffect.Bond = splits ? .none : .joinsNext
            appendName(to, source, of: operation, bond: bond, moves: moves)
            appendName(from, nil, of: operation, index: 1, bond: splits && !isMove ? .needsPrevious : .none)
        }
        return Touched(first: from.directory, second: to.directory, named: source, unnamed: target)
    }

    private func isDirectory(_ inode: InodeID) -> Bool { durable.nodes[inode]?.kind == .directory }

    private mutating func appendName(
        _ entry: Entry, _ inode: InodeID?, of operation: Operation, index: UInt8 = 0, bond: PendingEffect.Bond = .none,
        moves: Bool = false
    ) {
        let old = names.updateValueOrRemove(inode, forKey: entry)
        var part = PendingEffect(.name(entry, inode), of: operation, at: eventCount, index: index)
        part.bond = bond
        part.movesDirectory = moves
        if rules.order == .slots { chain(&part, entry, [inode, old]) }
        enter(part)
        if let inode, let at = inodes.place(of: inode) { inodes[at: at].nameCount += 1 }
    }
}

extension PendingSet {
    /// Notes what a name needs and whose name it is, so that a barrier on one inode finds its names among all.
    private mutating func chain(_ part: inout PendingEffect, _ entry: Entry, _ children: [InodeID?]) {
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
            guard let at = inodes.place(of: child) else { continue }
            let count = inodes[at: at].ownNames.count
            if count > 16, count & (count - 1) == 0 {
                inodes[at: at].ownNames.removeAll { ordered.index(of: $0) == nil }
            }
            inodes[at: at].ownNames.append(number)
        }
    }

    private mutating func append(
        _ effect: Effect, of operation: Operation, index: UInt8 = 0, bond: PendingEffect.Bond = .none
    ) {
        var part = PendingEffect(effect, of: operation, at: eventCount, index: index)
        part.bond = bond
        enter(part)
    }

    /// Gives a part its number and puts it where barriers find it.
    private mutating func enter(_ part: consuming PendingEffect, _ place: Int? = nil) {
        part.number = nextNumber
        nextNumber += 1
        if part.effect.isMetadata { lastMetadataNumber = part.number }
        register(part, place)
    }

    mutating func register(_ part: consuming PendingEffect, _ place: Int? = nil) {
        guard let at = place ?? inodes.place(of: part.effect.inode) else { return }
        effectCount += 1
        let kind = part.effect.kind
        if rules.order == .total || kind == .name || rules.order == .metadata && part.effect.isMetadata {
            ordered.append(part)
            inodes[at: at].orderedCount += 1
        } else if kind == .attribute {
            inodes[at: at].others.append(part)
        } else {
            inodes[at: at].data.append(part)
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
