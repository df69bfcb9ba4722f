import Bytes

/// One inode as a tree holds it.
public struct Node: Hashable, Sendable {
    public var kind: NodeKind
    public var attributes: Attributes
    public var extendedAttributes: [ByteString: ByteString] = [:]
    /// A file's size. Runs of `content` beyond it are not visible.
    public var sizeBytes: UInt64 = 0
    public var content = ExtentMap()
    /// A directory's names.
    public var entries: [ByteString: InodeID] = [:]

    public init(kind: NodeKind, attributes: Attributes) {
        self.kind = kind
        self.attributes = attributes
    }
}

/// The contents of a filesystem as slots: what each inode and each name holds.
///
/// A tree may hold inodes that no name reaches (a crash can persist data and lose the name); they are not visible.
/// Value type; not safe to change from several threads.
public struct Tree: Hashable, Sendable {
    public var nodes: [InodeID: Node]

    /// A tree with an empty root directory.
    public init(rootAttributes: Attributes = Attributes(mode: 0o755)) {
        nodes = [.root: Node(kind: .directory, attributes: rootAttributes)]
    }

    public subscript(entry: Entry) -> InodeID? { nodes[entry.directory]?.entries[entry.name] }

    /// Applies the part of a write or a zeroing that lies within `ranges`.
    mutating func apply(_ effect: Effect, within ranges: RangeSet<UInt64>) {
        nodes[effect.inode]?.apply(effect, within: ranges)
    }

    /// Applies one effect. Effects on unknown inodes leave the tree as it is: an inode that no name can reach any more
    /// may already be gone.
    public mutating func apply(_ effect: Effect) { nodes[effect.inode]?.apply(effect) }
}

extension Node {
    mutating func apply(_ effect: Effect, within ranges: RangeSet<UInt64>) {
        for range in ranges.ranges {
            switch effect {
            case .write(_, let offset, let data):
                let common = range.clamped(to: offset..<offset + data.countBytes)
                content.write(
                    data.slice(common.lowerBound - offset, count: UInt64(common.count)), at: common.lowerBound)
            case .zero(_, let whole): content.zero(range.clamped(to: whole))
            default: preconditionFailure("only data has ranges")
            }
        }
    }

    /// Applies an effect on this inode.
    mutating func apply(_ effect: Effect) {
        switch effect {
        case .write(_, let offset, let data): content.write(data, at: offset)
        case .zero(_, let range): content.zero(range)
        case .grow(_, _, let to), .resize(_, let to): sizeBytes = to
        case .name(let entry, let inode): entries[entry.name] = inode
        case .attributes(_, let attributes): self.attributes = attributes
        case .extendedAttribute(_, let name, let value): extendedAttributes[name] = value
        }
    }
}
