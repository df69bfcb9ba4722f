import Bytes

extension PendingSet {
    /// The inodes whose metadata an operation changed, by what it changed of them.
    struct Touched: Sendable {
        var changed: [InodeID] = []
        var resized: InodeID?
        var renamed: [InodeID] = []
    }

    mutating func add(_ operation: Operation) {
        let first = nextNumber
        let touched = split(operation)
        guard nextNumber > first else { return }
        if operation.isComplete {
            touch(touched, number: nextNumber - 1)
        } else {
            inFlight[operation.id] = InFlight(parts: first..<nextNumber, touched: touched)
        }
    }

    mutating func complete(_ id: OperationID) {
        guard let flight = inFlight.removeValue(forKey: id) else { return }
        for number in flight.parts {
            if let place = place(number) { parts[place].completedAt = eventCount }
        }
        touch(flight.touched, number: flight.parts.upperBound - 1)
    }

    private mutating func touch(_ touched: Touched, number: Int) {
        guard rules.order == .metadata else { return }
        for inode in touched.changed { inodes[inode]?.lastChange.raise(to: number) }
        for inode in touched.renamed { inodes[inode]?.lastNameChange.raise(to: number) }
        if let inode = touched.resized { inodes[inode]?.lastSizeChange.raise(to: number) }
    }

    /// Appends the parts of one operation and says what it touched. Operations on inodes that nothing can reach any
    /// more have no parts.
    private mutating func split(_ operation: Operation) -> Touched {
        switch operation.change {
        case .write(let inode, let offset, let data):
            guard inodes[inode] != nil, data.countBytes > 0 else { return Touched() }
            append(.write(inode, offsetBytes: offset, data: data), of: operation)
            let size = inodes[inode]!.sizeBytes
            let end = offset + data.countBytes
            if end > size {
                append(.grow(inode, from: size, to: end), of: operation, index: 1)
                inodes[inode]!.sizeBytes = end
            }
            return Touched()
        case .truncate(let inode, let size):
            return resize(inode, to: size, zeroing: size..<max(size, inodes[inode]?.sizeBytes ?? 0), operation)
        case .allocate(let inode, let offset, let count, let mode):
            return allocate(inode, offset..<offset + count, mode, operation)
        case .create(let inode, let kind, let attributes, let entry):
            durable.nodes[inode] = Node(kind: kind, attributes: attributes)
            inodes[inode] = InodeState()
            return name(entry, inode, operation)
        case .link(let inode, let entry):
            return name(entry, inode, operation)
        case .unlink(let entry):
            return name(entry, nil, operation)
        case .rename(let from, let to, let mode):
            return rename(from, to, mode, operation)
        case .setAttributes(let inode, let attributes):
            guard inodes[inode] != nil else { return Touched() }
            append(.attributes(inode, attributes), of: operation)
            return Touched(changed: [inode])
        case .setExtendedAttribute(let inode, let name, let value):
            guard inodes[inode] != nil else { return Touched() }
            append(.extendedAttribute(inode, name: name, value: value), of: operation)
            return Touched(changed: [inode])
        }
    }

    private mutating func resize(
        _ inode: InodeID, to size: UInt64, zeroing range: Range<UInt64>, _ operation: Operation
    ) -> Touched {
        guard let state = inodes[inode] else { return Touched() }
        let resizes = size != state.sizeBytes
        if !range.isEmpty {
            append(.zero(inode, range), of: operation, bond: resizes ? .joinsNext : .none)
        }
        if resizes {
            append(.resize(inode, to: size), of: operation, index: range.isEmpty ? 0 : 1)
            inodes[inode]!.sizeBytes = size
        }
        return Touched(changed: [inode], resized: inode)
    }

    private mutating func allocate(
        _ inode: InodeID, _ range: Range<UInt64>, _ mode: Allocation, _ operation: Operation
    ) -> Touched {
        let size = inodes[inode]?.sizeBytes ?? 0
        let visible = min(range.lowerBound, size)..<min(range.upperBound, size)
        let nothing = size..<size
        switch mode {
        case .extend: return resize(inode, to: max(size, range.upperBound), zeroing: nothing, operation)
        case .keepSize: return resize(inode, to: size, zeroing: nothing, operation)
        case .punchHole, .zeroRangeKeepSize: return resize(inode, to: size, zeroing: visible, operation)
        case .zeroRange: return resize(inode, to: max(size, range.upperBound), zeroing: visible, operation)
        }
    }

    private mutating func name(_ entry: Entry, _ inode: InodeID?, _ operation: Operation) -> Touched {
        let old = names[entry]
        guard inodes[entry.directory] != nil, old != inode, inode.map({ inodes[$0] != nil }) ?? true else {
            return Touched()
        }
        appendName(entry, inode, of: operation)
        let children = [inode, old].compactMap(\.self)
        return Touched(changed: [entry.directory] + children, renamed: children)
    }

    private mutating func rename(_ from: Entry, _ to: Entry, _ mode: RenameMode, _ operation: Operation) -> Touched {
        guard let source = names[from], inodes[to.directory] != nil else { return Touched() }
        let target = names[to]
        guard source != target else { return Touched() }
        let isDirectory = durable.nodes[source]?.kind == .directory
        let splits = rules.renameSplits && !isDirectory
        if mode == .exchange {
            guard let target else { return Touched() }
            appendName(to, source, of: operation, bond: splits ? .none : .joinsNext)
            appendName(from, target, of: operation, index: 1)
        } else {
            let replaces = rules.replaceNeedsData && target != nil ? source : nil
            appendName(to, source, of: operation, bond: splits ? .none : .joinsNext, replaces: replaces)
            let bond: Bond = splits && from.directory == to.directory ? .needsPrevious : .none
            appendName(from, nil, of: operation, index: 1, bond: bond)
        }
        let children = [source, target].compactMap(\.self)
        return Touched(changed: [from.directory, to.directory] + children, renamed: children)
    }

    private mutating func appendName(
        _ entry: Entry, _ inode: InodeID?, of operation: Operation, index: UInt8 = 0, bond: Bond = .none,
        replaces: InodeID? = nil
    ) {
        let old = names[entry]
        names[entry] = inode
        append(.name(entry, inode), of: operation, index: index, bond: bond, replaces: replaces)
        if let inode { inodes[inode]!.nameCount += 1 }
        if case .slots(_, ownNames: true) = rules.fsync {
            for child in [inode, old].compactMap(\.self) { inodes[child]?.ownNames.append(nextNumber - 1) }
        }
    }
}

extension Int {
    fileprivate mutating func raise(to value: Int) { self = Swift.max(self, value) }
}
