import Bytes

/// An inode in a tree.
public struct Node: Hashable, Sendable {
    public var kind: NodeKind
    public var attributes: Attributes
    public var extendedAttributes: [ByteString: ByteString] = [:]
    /// The size of a file. `content` beyond it is not visible.
    public var sizeBytes: UInt64 = 0
    public var content = ExtentMap()
    /// The names in a directory.
    public var entries: [ByteString: InodeID] = [:]

    public init(kind: NodeKind, attributes: Attributes) {
        self.kind = kind
        self.attributes = attributes
    }
}

/// The content of a filesystem: its inodes, with data, attributes and names.
///
/// A tree may hold inodes without a name, because a crash can persist data and lose the name. They are not visible.
/// Value type; not safe to change from several threads.
public struct Tree: Hashable, Sendable {
    public var nodes: [InodeID: Node]

    /// A tree with an empty root directory.
    public init(rootAttributes: Attributes = Attributes(mode: 0o755)) {
        nodes = [.root: Node(kind: .directory, attributes: rootAttributes)]
    }

    public subscript(entry: DirectoryEntry) -> InodeID? { nodes[entry.directory]?.entries[entry.name] }
}
