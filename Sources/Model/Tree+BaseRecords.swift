import Bytes

extension Tree {
    /// The tree as base records, in an order that depends on nothing but the tree. Runs of content keep their payloads;
    /// runs beyond a file's size are left out.
    public func baseRecords() -> [BaseRecord] {
        var records: [BaseRecord] = []
        for (inode, node) in nodes.sorted(by: { $0.key < $1.key }) {
            records.append(.node(inode, node.kind, node.attributes, sizeBytes: node.sizeBytes))
            for (name, value) in node.extendedAttributes.sorted(by: { $0.key < $1.key }) {
                records.append(.extendedAttribute(inode, name: name, value: value))
            }
            for extent in node.content.slice(0..<node.sizeBytes) {
                records.append(.content(inode, offsetBytes: extent.offsetBytes, data: extent.data))
            }
        }
        // Names come last: each record speaks of inodes that are known by then.
        for (directory, node) in nodes.sorted(by: { $0.key < $1.key }) {
            for (name, inode) in node.entries.sorted(by: { $0.key < $1.key }) {
                records.append(.entry(Entry(directory, name), inode))
            }
        }
        return records
    }

    /// The tree that `records` describe. Refuses what no filesystem holds: a root that is no directory, names in what
    /// is no directory or of what is not there, a directory with two names, the root under a name.
    public init(baseRecords records: [BaseRecord]) throws(BaseTreeError) {
        var nodes: [InodeID: Node] = [:]
        var namedDirectories: Set<InodeID> = [.root]
        for record in records {
            switch record {
            case .node(let inode, let kind, let attributes, let size):
                guard nodes[inode] == nil else { throw .twice(inode) }
                nodes[inode] = Node(kind: kind, attributes: attributes)
                nodes[inode]?.sizeBytes = size
            case .extendedAttribute(let inode, let name, let value):
                guard nodes[inode] != nil else { throw .unknown(inode) }
                nodes[inode]?.extendedAttributes[name] = value
            case .content(let inode, let offset, let data):
                guard nodes[inode]?.kind == .regular else { throw .unknown(inode) }
                nodes[inode]?.content.write(data, at: offset)
            case .entry(let entry, let inode):
                guard let kind = nodes[inode]?.kind else { throw .unknown(inode) }
                guard nodes[entry.directory]?.kind == .directory else { throw .notADirectory(entry.directory) }
                guard nodes[entry.directory]?.entries[entry.name] == nil else { throw .nameTwice(entry) }
                if kind == .directory, !namedDirectories.insert(inode).inserted { throw .nameTwice(entry) }
                nodes[entry.directory]?.entries[entry.name] = inode
            }
        }
        guard nodes[.root]?.kind == .directory else { throw .notADirectory(.root) }
        var reached: Set<InodeID> = [.root]
        var waiting: [InodeID] = [.root]
        while let directory = waiting.popLast() {
            for child in (nodes[directory]?.entries ?? [:]).values
            where nodes[child]?.kind == .directory && reached.insert(child).inserted {
                waiting.append(child)
            }
        }
        // Each has one name: what is not reached lies within itself, or within something that does.
        if let lost = namedDirectories.subtracting(reached).min() { throw .withinItself(lost) }
        self.init()
        self.nodes = nodes
    }
}
