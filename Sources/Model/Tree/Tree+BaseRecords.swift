import Bytes

extension Tree {
    /// The tree as base records, in an order that depends only on the tree. Extents keep their payloads; extents beyond the
    /// size of a file are left out.
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
        // Names come last, when all inodes are known.
        for (directory, node) in nodes.sorted(by: { $0.key < $1.key }) {
            for (name, inode) in node.entries.sorted(by: { $0.key < $1.key }) {
                records.append(.entry(DirectoryEntry(directory, name), inode))
            }
        }
        return records
    }

    /// The tree that `records` describe. Throws for trees that no filesystem holds: a root that is not a directory, names
    /// in a non-directory or of missing inodes, a directory with two names, a name for the root.
    public init(baseRecords records: [BaseRecord]) throws(BaseTreeError) {
        var validator = TraceValidator()
        var nodes: [InodeID: Node] = [:]
        for record in records {
            try validator.check(record)
            switch record {
            case .node(let inode, let kind, let attributes, let size):
                nodes[inode] = Node(kind: kind, attributes: attributes)
                nodes[inode]?.sizeBytes = size
            case .extendedAttribute(let inode, let name, let value): nodes[inode]?.extendedAttributes[name] = value
            case .content(let inode, let offset, let data): nodes[inode]?.content.write(data, at: offset)
            case .entry(let entry, let inode): nodes[entry.directory]?.entries[entry.name] = inode
            }
        }
        guard !records.isEmpty else { throw .notADirectory(.root) }
        try validator.checkBaseEnd()
        self.init()
        self.nodes = nodes
    }
}
