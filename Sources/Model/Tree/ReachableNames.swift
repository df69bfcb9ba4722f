import Bytes

/// The names that can be reached from the root of a tree, parents before their children, siblings in bytewise order; the
/// root itself is the first. A crash can leave a directory under two names, even one within itself: what is in it is
/// listed under one of them.
///
/// A name knows its parent, and its path is put together when it is asked for: a tree of many levels takes memory in
/// proportion to its names, and not to the lengths of their paths.
public struct ReachableNames: RandomAccessCollection, Sendable {
    /// One name, and what it means.
    public struct Element: Sendable {
        public let inode: InodeID
        fileprivate let list: [Place]
        fileprivate let index: Int

        /// From the root, without a leading slash; empty for the root. Of one longer than 4096 bytes the end alone.
        public var path: ByteString {
            var path = PathFromEnd()
            var index = index
            while index != 0, !path.isFull {
                path.prepend(list[index].name)
                index = list[index].parent
            }
            return path.path
        }

        /// The directory that the name is in; nil for the root.
        var parent: Element? { index == 0 ? nil : Element(list, list[index].parent) }

        fileprivate init(_ list: [Place], _ index: Int) {
            self.inode = list[index].inode
            self.list = list
            self.index = index
        }
    }

    fileprivate struct Place: Sendable {
        /// The place of the directory that the name is in.
        var parent: Int
        var name: ByteString
        var inode: InodeID
    }

    private var list: [Place] = []

    fileprivate init(of tree: Tree) {
        var entered: Set<InodeID> = []
        var stack = [Place(parent: 0, name: "", inode: .root)]
        while let place = stack.popLast() {
            let index = list.count
            list.append(place)
            guard let node = tree.nodes[place.inode], node.kind == .directory, entered.insert(place.inode).inserted
            else { continue }
            for (name, child) in node.entries.sorted(by: { $0.key > $1.key }) where tree.nodes[child] != nil {
                stack.append(Place(parent: index, name: name, inode: child))
            }
        }
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { list.count }
    public subscript(index: Int) -> Element { Element(list, index) }
}

extension Tree {
    /// Every name that can be reached from the root.
    public func reachable() -> ReachableNames { ReachableNames(of: self) }
}
