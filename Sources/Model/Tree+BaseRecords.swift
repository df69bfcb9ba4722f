extension Tree {
    /// The tree that the base records of a trace describe. Records about inodes that no record introduced are skipped:
    /// the decoder has checked the framing, and a tree without a root's record has an empty root.
    public init(_ records: some Sequence<BaseRecord>) {
        self.init()
        for record in records {
            switch record {
            case .node(let inode, let kind, let attributes, let sizeBytes):
                var node = Node(kind: kind, attributes: attributes)
                node.sizeBytes = sizeBytes
                node.entries = nodes[inode]?.entries ?? [:]
                nodes[inode] = node
            case .extendedAttribute(let inode, let name, let value):
                nodes[inode]?.extendedAttributes[name] = value
            case .entry(let entry, let inode): nodes[entry.directory]?.entries[entry.name] = inode
            case .content(let inode, let offset, let data): nodes[inode]?.content.write(data, at: offset)
            }
        }
    }
}
