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
public struct Tree: Sendable {
    public var nodes: [InodeID: Node] {
        // Only `change` keeps the history.
        didSet { history = TreeHistory() }
    }
    /// The last changes; see `inodesChanged(since:)`.
    private(set) var history = TreeHistory()

    /// A tree with an empty root directory.
    public init(rootAttributes: Attributes = Attributes(mode: 0o755)) {
        nodes = [.root: Node(kind: .directory, attributes: rootAttributes)]
    }

    public subscript(entry: DirectoryEntry) -> InodeID? { nodes[entry.directory]?.entries[entry.name] }

    /// Changes one inode and records that in the history.
    mutating func change(_ inode: InodeID, _ body: (inout Node?) -> Void) {
        var history = TreeHistory()
        swap(&history, &self.history)
        body(&nodes[inode])
        history.note(inode)
        self.history = history
    }

    /// Starts the history of a tree that will be compared with its copies.
    mutating func beginHistory() { history.note(.root) }
}

extension Tree: Hashable {
    public static func == (left: Self, right: Self) -> Bool { left.nodes == right.nodes }

    public func hash(into hasher: inout Hasher) { hasher.combine(nodes) }
}
