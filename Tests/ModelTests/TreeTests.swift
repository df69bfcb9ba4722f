import Bytes
import Model
import Testing

struct TreeTests {
    /// A tree of directories, each inode under the names given.
    private func tree(_ names: [(InodeID, ByteString, InodeID)]) -> Tree {
        var tree = Tree()
        for (directory, name, inode) in names {
            if tree.nodes[inode] == nil {
                tree.nodes[inode] = Node(kind: .directory, attributes: Attributes(mode: 0o755))
            }
            tree.nodes[directory]?.entries[name] = inode
        }
        return tree
    }

    @Test func `parents come before children, siblings in order`() {
        let tree = tree([(.root, "b", InodeID(2)), (.root, "a", InodeID(3)), (InodeID(2), "c", InodeID(4))])
        #expect(tree.reachable().map(\.path) == ["", "a", "b", "b/c"])
    }

    @Test func `two renames that a crash kept halves of can put directories into each other; the walk ends`() {
        let tree = tree([(.root, "a", InodeID(2)), (InodeID(2), "b", InodeID(3)), (InodeID(3), "a", InodeID(2))])
        #expect(tree.reachable().map(\.path) == ["", "a", "a/b", "a/b/a"])
    }
}
