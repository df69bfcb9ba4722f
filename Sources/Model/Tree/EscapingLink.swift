import Bytes

/// A symbolic link that leads out of its tree. A program that follows it accesses files outside of the store.
public struct EscapingLink: Hashable, Sendable {
    /// The path of the link, from the root of its tree.
    public var path: ByteString
    public var target: ByteString

    public init(path: ByteString, target: ByteString) {
        self.path = path
        self.target = target
    }
}

extension EscapingLink: CustomStringConvertible {
    public var description: String { "\(path) -> \(target)" }
}

extension Tree {
    /// The links that lead out of the tree, sorted by path: to an absolute path, or through `..` above the root, directly or
    /// through other links.
    ///
    /// Missing names count as directories, because a store may create them.
    public func escapingLinks() -> [EscapingLink] {
        // Fast path: most stores have no link at all.
        guard nodes.values.contains(where: { $0.linkTarget?.mayEscape ?? false }) else { return [] }
        return reachable().compactMap { name in
            guard let target = nodes[name.inode]?.linkTarget, escapes(name, target) else { return nil }
            return EscapingLink(path: name.path, target: target)
        }
    }

    /// The most links that Linux follows in one path.
    private static let maximumLinkCount = 40

    private func escapes(_ link: ReachableNames.Element, _ target: ByteString) -> Bool {
        if target.isAbsolute { return true }
        // The current directory, and the names entered below it that may not exist.
        var directory = link.parent ?? link
        var below: [InodeID?] = []
        var rest: [ByteString] = target.components.reversed()
        var followed = 0
        while let name = rest.popLast() {
            switch name {
            case ".": continue
            case "..":
                if below.popLast() != nil { continue }
                guard let parent = directory.parent else { return true }
                directory = parent
            default:
                let inode = (below.last ?? directory.inode).flatMap { nodes[$0]?.entries[name] }
                guard let next = inode.flatMap({ nodes[$0]?.linkTarget }) else {
                    below.append(inode)
                    continue
                }
                followed += 1
                // Linux fails with ELOOP.
                if followed > Self.maximumLinkCount { return false }
                if next.isAbsolute { return true }
                rest += next.components.reversed()
            }
        }
        return false
    }
}

extension Node {
    fileprivate var linkTarget: ByteString? { if case .symbolicLink(let target) = kind { target } else { nil } }
}

extension ByteString {
    fileprivate var isAbsolute: Bool { bytes.first == UInt8(ascii: "/") }

    /// The names of a path, in order.
    var components: [ByteString] {
        let slash = UInt8(ascii: "/")
        if !bytes.contains(slash) { return isEmpty ? [] : [self] }
        return bytes.split(separator: slash).map { ByteString($0) }
    }

    /// A relative link without `..` leads down. It can leave only through another link.
    fileprivate var mayEscape: Bool { isAbsolute || components.contains("..") }
}
