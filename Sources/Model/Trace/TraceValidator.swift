import Bytes

/// Checks that the records of a trace are consistent: ids are unique, each event refers to existing names, inodes and
/// barriers, and no event does what every filesystem refuses. (`TraceRecord.violation` checks a single record.)
///
/// It keeps a tree without contents: a record costs one or two lookups, and memory is in proportion to the inodes and names
/// of the trace.
///
/// Deliberately allowed, because real traces contain it: ids out of order (a barrier gets its id before it begins), missing
/// ids (of failed operations), faults of operations that never took effect, operations on unlinked inodes, operations and
/// barriers that never end. Pure. Not thread safe.
public struct TraceValidator: Sendable {
    private struct Node: Sendable {
        enum Kind: UInt8 { case regular, directory, other }

        var kind: Kind
        /// For a directory: whether it was removed, how many names it holds, and its parent.
        var isRemoved = false
        var nameCount: UInt32 = 0
        /// For any other inode: how many names it has.
        var linkCount: UInt32 = 0
        var parent: InodeID?

        init(_ kind: NodeKind) {
            switch kind {
            case .regular: self.kind = .regular
            case .directory: self.kind = .directory
            case .symbolicLink, .fifo, .socket: self.kind = .other
            }
        }
    }

    private struct AttributeKey: Hashable, Sendable {
        var inode: InodeID
        var name: ByteString
    }

    private var nodes: [InodeID: Node] = [:]
    private var names: [DirectoryEntry: InodeID] = [:]
    private var ids = OperationIDSet()
    private var writes = OperationIDSet()
    private var inFlight: Set<OperationID> = []
    private var openBarriers: Set<OperationID> = []
    /// The existing extended attributes.
    private var attributes: Set<AttributeKey> = []
    /// The previous event, if it was a write by a system call.
    private var lastWrite: Operation?
    /// The nonempty files of the base tree: their size, and the end of their content so far.
    private var baseFiles: [InodeID: (sizeBytes: UInt64, contentEndBytes: UInt64)] = [:]
    private var eventCount: UInt64 = 0
    /// How many directories were visited on the way to the root, in all renames together.
    private var visitedCount: UInt64 = 0

    /// The limit of `visitedCount`, which rises with each event.
    private static let visitedLimit: UInt64 = 10_000_000

    public init() {}

    // MARK: - The base tree

    public mutating func check(_ record: BaseRecord) throws(BaseTreeError) {
        switch record {
        case .node(let inode, let kind, _, let size):
            guard nodes.updateValue(Node(kind), forKey: inode) == nil else { throw .duplicateInode(inode) }
            guard kind == .regular || size == 0 else { throw .sizeOfNonFile(inode) }
            if size > 0 { baseFiles[inode] = (size, 0) }
        case .extendedAttribute(let inode, let name, _):
            guard let node = nodes[inode] else { throw .unknownInode(inode) }
            guard node.kind != .other || !name.isUserAttribute else { throw .userAttribute(inode, name: name) }
            attributes.insert(AttributeKey(inode: inode, name: name))
        case .content(let inode, let offset, let data):
            guard nodes[inode]?.kind == .regular else { throw .unknownInode(inode) }
            let (end, overflow) = offset.addingReportingOverflow(data.countBytes)
            // The content of a file is in order.
            guard let file = baseFiles[inode], offset >= file.contentEndBytes, !overflow, end <= file.sizeBytes else {
                throw .misplacedContent(inode, offsetBytes: offset)
            }
            baseFiles[inode]?.contentEndBytes = end
        case .entry(let entry, let inode):
            guard let node = nodes[inode] else { throw .unknownInode(inode) }
            guard nodes[entry.directory]?.kind == .directory else { throw .notADirectory(entry.directory) }
            if node.kind == .directory {
                guard inode != .root, node.parent == nil else { throw .duplicateName(entry) }
                nodes[inode]?.parent = entry.directory
            } else {
                nodes[inode]?.linkCount += 1
            }
            guard names.updateValue(inode, forKey: entry) == nil else { throw .duplicateName(entry) }
            nodes[entry.directory]?.nameCount += 1
        }
    }

    /// Must be called once, between the base records and the events.
    public mutating func checkBaseEnd() throws(BaseTreeError) {
        if nodes.isEmpty { nodes[.root] = Node(.directory) }
        guard nodes[.root]?.kind == .directory else { throw .notADirectory(.root) }
        // Each directory has at most one parent. Follow the parents: a path that does not end at the root is a cycle.
        var reachable: Set<InodeID> = [.root]
        for start in nodes.filter({ $0.value.parent != nil }).keys.sorted() {
            var path: Set<InodeID> = []
            var inode = start
            while !reachable.contains(inode) {
                guard let parent = nodes[inode]?.parent, path.insert(inode).inserted else {
                    throw .directoryCycle(start)
                }
                inode = parent
            }
            reachable.formUnion(path)
        }
        // A crash may leave a directory without a name, which is unreachable.
        for (inode, node) in nodes where node.kind == .directory && !reachable.contains(inode) {
            nodes[inode]?.isRemoved = true
        }
        baseFiles = [:]
    }

    // MARK: - Events

    public mutating func check(_ event: TraceEvent) throws(IllegalEvent) {
        eventCount += 1
        defer { if !event.isWrite { lastWrite = nil } }
        switch event {
        case .operation(let operation):
            try take(operation.id)
            if operation.origin == .sameCall { try checkContinues(operation) }
            try check(operation.change)
            if case .write = operation.change {
                writes.insert(operation.id)
                lastWrite = operation.origin == .writeback ? nil : operation
            }
            if !operation.isComplete { inFlight.insert(operation.id) }
        case .completed(let id):
            guard inFlight.remove(id) != nil else { throw .notInFlight(id) }
        case .barrierBegan(let id, let barrier, _):
            try check(barrier)
            try take(id)
            openBarriers.insert(id)
        case .barrierEnded(let id, _):
            guard openBarriers.remove(id) != nil else { throw .barrierNotBegun(id) }
        case .oracle, .fault: break
        }
    }

    private mutating func take(_ id: OperationID) throws(IllegalEvent) {
        guard ids.insert(id) else { throw .duplicateID(id) }
    }

    /// Throws if a further piece of a write does not continue the previous event.
    private func checkContinues(_ piece: Operation) throws(IllegalEvent) {
        guard let lastWrite, piece.process == lastWrite.process,
            case .write(let inode, let offset, _) = piece.change,
            case .write(inode, let before, let data) = lastWrite.change, offset == before + data.countBytes
        else { throw .unmatchedPiece(piece.id) }
    }

    private func check(_ barrier: Barrier) throws(IllegalEvent) {
        switch barrier {
        case .fsync(let inode), .fdatasync(let inode): _ = try node(inode)
        case .forceUnitAccess(let write): guard writes.contains(write) else { throw .unknownWrite(write) }
        case .flush: break
        }
    }

    private mutating func check(_ change: Change) throws(IllegalEvent) {
        switch change {
        case .write(let inode, _, _), .truncate(let inode, _), .allocate(let inode, _, _, _):
            guard try node(inode).kind == .regular else { throw .notAFile(inode) }
        case .setAttributes(let inode, _): _ = try node(inode)
        case .setExtendedAttribute(let inode, let name, let value): try setAttribute(inode, name, isSet: value != nil)
        case .create(let inode, let kind, _, let entry):
            guard nodes[inode] == nil else { throw .duplicateInode(inode) }
            try checkIsFree(entry)
            nodes[inode] = Node(kind)
            add(entry, inode)
        case .link(let inode, let entry):
            let linked = try node(inode)
            guard linked.kind != .directory else { throw .linkToDirectory(inode) }
            guard linked.linkCount > 0 else { throw .linkToUnlinked(inode) }
            try checkIsFree(entry)
            add(entry, inode)
        case .unlink(let entry):
            let inode = try self.inode(at: entry)
            try checkIsEmpty(inode, at: entry)
            remove(entry, inode)
        case .rename(let from, let to, .exchange): try exchange(from, to)
        case .rename(let from, let to, let mode): try rename(from, to, mode)
        }
    }

    private mutating func setAttribute(_ inode: InodeID, _ name: ByteString, isSet: Bool) throws(IllegalEvent) {
        let node = try node(inode)
        guard node.kind != .other || !name.isUserAttribute else { throw .userAttribute(inode, name: name) }
        let key = AttributeKey(inode: inode, name: name)
        if isSet {
            attributes.insert(key)
        } else if attributes.remove(key) == nil, name.isUserAttribute {
            // The kernel sets and removes attributes of other namespaces itself: labels, capabilities, inherited ACLs.
            throw .attributeMissing(inode, name: name)
        }
    }

    // MARK: - Names

    private mutating func rename(_ from: DirectoryEntry, _ to: DirectoryEntry, _ mode: RenameMode) throws(IllegalEvent)
    {
        let source = try inode(at: from)
        try checkDirectory(to.directory)
        if let target = names[to] {
            guard mode != .noReplace else { throw .nameTaken(to) }
            guard target != source else { throw .renameToItself(to) }
            switch (isDirectory(source), isDirectory(target)) {
            case (true, false): throw .directoryOverFile(to)
            case (false, true): throw .fileOverDirectory(to)
            default: try checkIsEmpty(target, at: to)
            }
        }
        try checkLiesOutside(to, source, from)
        if let target = names[to] { remove(to, target) }
        remove(from, source)
        add(to, source)
    }

    private mutating func exchange(_ from: DirectoryEntry, _ to: DirectoryEntry) throws(IllegalEvent) {
        let (source, target) = (try inode(at: from), try inode(at: to))
        guard source != target else { throw .renameToItself(to) }
        try checkLiesOutside(to, source, from)
        try checkLiesOutside(from, target, to)
        remove(from, source)
        remove(to, target)
        add(to, source)
        add(from, target)
    }

    /// Throws if `inode`, named `from`, is a directory that contains `entry`.
    private mutating func checkLiesOutside(
        _ entry: DirectoryEntry, _ inode: InodeID, _ from: DirectoryEntry
    ) throws(IllegalEvent) {
        guard isDirectory(inode), entry.directory != from.directory else { return }
        var directory = entry.directory
        while true {
            if directory == inode { throw .intoOwnSubtree(entry) }
            guard let parent = nodes[directory]?.parent else { return }
            directory = parent
            visitedCount += 1
            guard visitedCount < Self.visitedLimit + 64 * eventCount else { throw .tooDeep(entry) }
        }
    }

    private mutating func add(_ entry: DirectoryEntry, _ inode: InodeID) {
        names[entry] = inode
        nodes[entry.directory]?.nameCount += 1
        guard isDirectory(inode) else {
            nodes[inode]?.linkCount += 1
            return
        }
        nodes[inode]?.parent = entry.directory
        nodes[inode]?.isRemoved = false
    }

    private mutating func remove(_ entry: DirectoryEntry, _ inode: InodeID) {
        names[entry] = nil
        nodes[entry.directory]?.nameCount -= 1
        guard isDirectory(inode) else {
            nodes[inode]?.linkCount -= 1
            return
        }
        nodes[inode]?.parent = nil
        nodes[inode]?.isRemoved = true
    }

    // MARK: - Look-ups

    private func node(_ inode: InodeID) throws(IllegalEvent) -> Node {
        guard let node = nodes[inode] else { throw .unknownInode(inode) }
        return node
    }

    private func isDirectory(_ inode: InodeID) -> Bool { nodes[inode]?.kind == .directory }

    private func inode(at entry: DirectoryEntry) throws(IllegalEvent) -> InodeID {
        guard let inode = names[entry] else { throw .nameMissing(entry) }
        return inode
    }

    private func checkDirectory(_ inode: InodeID) throws(IllegalEvent) {
        let directory = try node(inode)
        guard directory.kind == .directory else { throw .notADirectory(inode) }
        guard !directory.isRemoved else { throw .removedDirectory(inode) }
    }

    private func checkIsFree(_ entry: DirectoryEntry) throws(IllegalEvent) {
        try checkDirectory(entry.directory)
        guard names[entry] == nil else { throw .nameTaken(entry) }
    }

    private func checkIsEmpty(_ inode: InodeID, at entry: DirectoryEntry) throws(IllegalEvent) {
        if let node = nodes[inode], node.kind == .directory, node.nameCount > 0 { throw .directoryNotEmpty(entry) }
    }
}

extension TraceEvent {
    fileprivate var isWrite: Bool {
        if case .operation(let operation) = self, case .write = operation.change { true } else { false }
    }
}

extension ByteString {
    fileprivate var isUserAttribute: Bool { bytes.starts(with: "user.".utf8) }
}
