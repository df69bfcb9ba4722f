import Bytes

/// The names that are reachable from the root of a tree: parents before children, siblings in bytewise order. The root is
/// the first. A crash can leave a directory under two names, even within itself; its content is listed under one of them.
///
/// An element stores its parent; its path is built on demand. Memory is therefore in proportion to the number of names,
/// not to the lengths of their paths.
public struct ReachableNames: RandomAccessCollection, Sendable {
    /// A name and its inode.
    public struct Element: Sendable {
        public let inode: InodeID
        fileprivate let list: [Item]
        fileprivate let index: Int

        /// The path from the root without a leading slash; empty for the root. Only the end of a path over 4096 bytes.
        public var path: ByteString {
            var path = PathFromEnd()
            var index = index
            while index != 0, !path.isFull {
                path.prepend(list[index].name)
                index = list[index].parent
            }
            return path.path
        }

        /// The directory that contains the name; nil for the root.
        var parent: Element? { index == 0 ? nil : Element(list, list[index].parent) }

        fileprivate init(_ list: [Item], _ index: Int) {
            self.inode = list[index].inode
            self.list = list
            self.index = index
        }
    }

    fileprivate struct Item: Sendable {
        /// The index of the directory that contains the name.
        var parent: Int
        var name: ByteString
        var inode: InodeID
    }

    private var list: [Item] = []

    fileprivate init(of tree: Tree) {
        var entered: Set<InodeID> = []
        var stack = [Item(parent: 0, name: "", inode: .root)]
        while let item = stack.popLast() {
            let index = list.count
            list.append(item)
            guard let node = tree.nodes[item.inode], node.kind == .directory, entered.insert(item.inode).inserted
            else { continue }
            for (name, child) in node.entries.sorted(by: { $0.key > $1.key }) where tree.nodes[child] != nil {
                stack.append(Item(parent: index, name: name, inode: child))
            }
        }
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { list.count }
    public subscript(index: Int) -> Element { Element(list, index) }
}

extension Tree {
    /// Every name that is reachable from the root.
    public func reachable() -> ReachableNames { ReachableNames(of: self) }
}
