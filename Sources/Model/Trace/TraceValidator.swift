import Bytes

/// Checks that the records of a trace could follow each other: that ids are not used twice, that each name, inode and
/// barrier that an event speaks of is there, and that no event does what every filesystem refuses.
///
/// It keeps a tree without contents, so that a record costs a look-up or two, and memory is in proportion to the inodes
/// and names that there were. What a single record may say is `TraceRecord.objection`.
///
/// Deliberately allowed, as real traces hold it: ids out of order (a barrier has its id before it begins), ids that are
/// missing (of operations that failed), faults of operations that never took effect, operations on inodes that have no
/// name any more, operations and barriers that never end. Pure. Not thread safe.
public struct TraceValidator: Sendable {
    private struct Node: Sendable {
        enum Kind: UInt8 { case regular, directory, other }

        var kind: Kind
        /// Of a directory: whether its name was taken away, how many names it holds, and where its own name is.
        var isRemoved = false
        var nameCount: UInt32 = 0
        /// Of anything else: how many names it has.
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

    private struct AttributePlace: Hashable, Sendable {
        var inode: InodeID
        var name: ByteString
    }

    private var nodes: [InodeID: Node] = [:]
    private var names: [Entry: InodeID] = [:]
    private var ids = OperationIDSet()
    private var writes = OperationIDSet()
    private var inFlight: Set<OperationID> = []
    private var openBarriers: Set<OperationID> = []
    /// The attributes that inodes have.
    private var attributes: Set<AttributePlace> = []
    /// The event before, if it was a write by a call.
    private var lastWrite: Operation?
    /// Files of the base tree that are not empty: their size, and where the content ends that came so far.
    private var baseFiles: [InodeID: (sizeBytes: UInt64, contentEndBytes: UInt64)] = [:]
    private var eventCount: UInt64 = 0
    /// How many directories were passed on the way to the root.
    private var passedCount: UInt64 = 0

    /// So many directories are passed in any trace, and some more for each event.
    private static let passedLimit: UInt64 = 10_000_000

    public init() {}

    // MARK: - The base tree

    public mutating func check(_ record: BaseRecord) throws(BaseTreeError) {
        switch record {
        case .node(let inode, let kind, _, let size):
            guard nodes.updateValue(Node(kind), forKey: inode) == nil else { throw .twice(inode) }
            guard kind == .regular || size == 0 else { throw .sized(inode) }
            if size > 0 { baseFiles[inode] = (size, 0) }
        case .extendedAttribute(let inode, let name, _):
            guard let node = nodes[inode] else { throw .unknown(inode) }
            guard node.kind != .other || !name.isUserAttribute else { throw .userAttribute(inode, name: name) }
            attributes.insert(AttributePlace(inode: inode, name: name))
        case .content(let inode, let offset, let data):
            guard nodes[inode]?.kind == .regular else { throw .unknown(inode) }
            let (end, overflow) = offset.addingReportingOverflow(data.countBytes)
            // The content of a file comes in order.
            guard let file = baseFiles[inode], offset >= file.contentEndBytes, !overflow, end <= file.sizeBytes else {
                throw .contentMisplaced(inode, offsetBytes: offset)
            }
            baseFiles[inode]?.contentEndBytes = end
        case .entry(let entry, let inode):
            guard let node = nodes[inode] else { throw .unknown(inode) }
            guard nodes[entry.directory]?.kind == .directory else { throw .notADirectory(entry.directory) }
            if node.kind == .directory {
                guard inode != .root, node.parent == nil else { throw .nameTwice(entry) }
                nodes[inode]?.parent = entry.directory
            } else {
                nodes[inode]?.linkCount += 1
            }
            guard names.updateValue(inode, forKey: entry) == nil else { throw .nameTwice(entry) }
            nodes[entry.directory]?.nameCount += 1
        }
    }

    /// To be called once, between the base records and the events.
    public mutating func checkBaseEnd() throws(BaseTreeError) {
        if nodes.isEmpty { nodes[.root] = Node(.directory) }
        guard nodes[.root]?.kind == .directory else { throw .notADirectory(.root) }
        // Each directory has one name at most. Names are followed up: a way that goes round, or ends elsewhere than at
        // the root, is of directories that lie within themselves.
        var sound: Set<InodeID> = [.root]
        for start in nodes.filter({ $0.value.parent != nil }).keys.sorted() {
            var way: Set<InodeID> = []
            var inode = start
            while !sound.contains(inode) {
                guard let parent = nodes[inode]?.parent, way.insert(inode).inserted else { throw .withinItself(start) }
                inode = parent
            }
            sound.formUnion(way)
        }
        // A crash may leave a directory without a name: nobody reaches it any more.
        for (inode, node) in nodes where node.kind == .directory && !sound.contains(inode) {
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
            if operation.origin == .sameCall { try checkGoesOn(operation) }
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
        guard ids.insert(id) else { throw .idTwice(id) }
    }

    /// Throws if a further piece of a write does not go on from the event before.
    private func checkGoesOn(_ piece: Operation) throws(IllegalEvent) {
        guard let lastWrite, piece.process == lastWrite.process,
            case .write(let inode, let offset, _) = piece.change,
            case .write(inode, let before, let data) = lastWrite.change, offset == before + data.countBytes
        else { throw .pieceOfNothing(piece.id) }
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
        case .setExtendedAttribute(let inode, let name, let value): try setAttribute(inode, name, isGiven: value != nil)
        case .create(let inode, let kind, _, let entry):
            guard nodes[inode] == nil else { throw .inodeTwice(inode) }
            try checkIsFree(entry)
            nodes[inode] = Node(kind)
            add(entry, inode)
        case .link(let inode, let entry):
            let linked = try node(inode)
            guard linked.kind != .directory else { throw .linkToDirectory(inode) }
            guard linked.linkCount > 0 else { throw .linkToRemoved(inode) }
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

    private mutating func setAttribute(_ inode: InodeID, _ name: ByteString, isGiven: Bool) throws(IllegalEvent) {
        let node = try node(inode)
        guard node.kind != .other || !name.isUserAttribute else { throw .userAttribute(inode, name: name) }
        let place = AttributePlace(inode: inode, name: name)
        if isGiven {
            attributes.insert(place)
        } else if attributes.remove(place) == nil, name.isUserAttribute {
            // The kernel itself gives and takes those of the other namespaces: labels, capabilities, inherited ACLs.
            throw .attributeMissing(inode, name: name)
        }
    }

    // MARK: - Names

    private mutating func rename(_ from: Entry, _ to: Entry, _ mode: RenameMode) throws(IllegalEvent) {
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

    private mutating func exchange(_ from: Entry, _ to: Entry) throws(IllegalEvent) {
        let (source, target) = (try inode(at: from), try inode(at: to))
        guard source != target else { throw .renameToItself(to) }
        try checkLiesOutside(to, source, from)
        try checkLiesOutside(from, target, to)
        remove(from, source)
        remove(to, target)
        add(to, source)
        add(from, target)
    }

    /// Throws if `inode`, named `from`, is a directory and `place` lies within it.
    private mutating func checkLiesOutside(
        _ place: Entry, _ inode: InodeID, _ from: Entry
    ) throws(IllegalEvent) {
        guard isDirectory(inode), place.directory != from.directory else { return }
        var directory = place.directory
        while true {
            if directory == inode { throw .intoItself(place) }
            guard let parent = nodes[directory]?.parent else { return }
            directory = parent
            passedCount += 1
            guard passedCount < Self.passedLimit + 64 * eventCount else { throw .tooDeep(place) }
        }
    }

    private mutating func add(_ entry: Entry, _ inode: InodeID) {
        names[entry] = inode
        nodes[entry.directory]?.nameCount += 1
        guard isDirectory(inode) else {
            nodes[inode]?.linkCount += 1
            return
        }
        nodes[inode]?.parent = entry.directory
        nodes[inode]?.isRemoved = false
    }

    private mutating func remove(_ entry: Entry, _ inode: InodeID) {
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

    private func inode(at entry: Entry) throws(IllegalEvent) -> InodeID {
        guard let inode = names[entry] else { throw .nameMissing(entry) }
        return inode
    }

    private func checkDirectory(_ inode: InodeID) throws(IllegalEvent) {
        let directory = try node(inode)
        guard directory.kind == .directory else { throw .notADirectory(inode) }
        guard !directory.isRemoved else { throw .removedDirectory(inode) }
    }

    private func checkIsFree(_ entry: Entry) throws(IllegalEvent) {
        try checkDirectory(entry.directory)
        guard names[entry] == nil else { throw .nameTaken(entry) }
    }

    private func checkIsEmpty(_ inode: InodeID, at entry: Entry) throws(IllegalEvent) {
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
