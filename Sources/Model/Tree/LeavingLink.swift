import Bytes

/// A symbolic link that leads out of the tree that it is in: whoever follows it reads and writes somebody else's files.
public struct LeavingLink: Hashable, Sendable {
    /// Where it is, from the root of its tree.
    public var path: ByteString
    public var target: ByteString

    public init(path: ByteString, target: ByteString) {
        self.path = path
        self.target = target
    }
}

extension LeavingLink: CustomStringConvertible {
    public var description: String { "\(path) -> \(target)" }
}

extension Tree {
    /// The links that lead out: to an absolute path, or through `..` above the root, themselves or by links that they go
    /// through. In the order of their paths.
    ///
    /// Names that are not there are taken for directories: a store may make them.
    public func leavingLinks() -> [LeavingLink] {
        // Without such a target somewhere no link leaves, and most stores have no link at all.
        guard nodes.values.contains(where: { $0.linkTarget?.mayLeave ?? false }) else { return [] }
        return reachable().compactMap { name in
            guard let target = nodes[name.inode]?.linkTarget, leaves(name, target) else { return nil }
            return LeavingLink(path: name.path, target: target)
        }
    }

    /// As many links as Linux follows in one path.
    private static let mostFollowed = 40

    private func leaves(_ link: ReachableNames.Element, _ target: ByteString) -> Bool {
        if target.isAbsolute { return true }
        // Where the way has come to: a directory that is reached for certain, and what was entered beneath it.
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
                // Nobody gets through such a path.
                if followed > Self.mostFollowed { return false }
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

    fileprivate var components: [ByteString] { bytes.split(separator: UInt8(ascii: "/")).map { ByteString($0) } }

    /// A relative link without `..` goes down, and leaves only through another one.
    fileprivate var mayLeave: Bool { isAbsolute || components.contains("..") }
}
