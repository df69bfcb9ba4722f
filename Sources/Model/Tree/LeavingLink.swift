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
        return reachable().compactMap { path, inode in
            guard let target = nodes[inode]?.linkTarget, leaves(path, target) else { return nil }
            return LeavingLink(path: path, target: target)
        }
    }

    /// As many links as Linux follows in one path.
    private static let mostFollowed = 40

    private func leaves(_ path: ByteString, _ target: ByteString) -> Bool {
        // The directories from the root down to the link's own.
        var place: [InodeID?] = [.root]
        for name in path.components.dropLast() { place.append(place.last!.flatMap { nodes[$0]?.entries[name] }) }
        if target.isAbsolute { return true }
        var rest = target.components
        var followed = 0
        while let name = rest.first {
            rest.removeFirst()
            switch name {
            case ".": continue
            case "..":
                guard place.count > 1 else { return true }
                place.removeLast()
            default:
                let inode = place.last!.flatMap { nodes[$0]?.entries[name] }
                guard let next = inode.flatMap({ nodes[$0]?.linkTarget }) else {
                    place.append(inode)
                    continue
                }
                followed += 1
                // Nobody gets through such a path.
                if followed > Self.mostFollowed { return false }
                if next.isAbsolute { return true }
                rest = next.components + rest
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
