import Bytes
import Glibc
import Model
import Testing

struct EscapingLinkTests {
    /// `d/e` are directories, `f` and `d/f` files; the rest are links.
    private static let links: [(path: ByteString, target: ByteString, leaves: Bool)] = [
        ("a", "/srv/db", true),
        ("a", "/", true),
        ("a", "f", false),
        ("a", "../f", true),
        ("a", "..", true),
        ("a", ".", false),
        ("a", "d/../f", false),
        ("a", "d/../../f", true),
        ("a", "./d//e/../../f", false),
        ("a", "d/e/../../../f", true),
        ("d/a", "../f", false),
        ("d/a", "../../f", true),
        ("d/e/a", "../../f", false),
        ("d/e/a", "../../../f", true),
        // A store may make what is not there.
        ("a", "new/../f", false),
        ("a", "new/../../f", true),
        ("a", "new/file", false),
        // What is a name and no way up.
        ("a", "...", false),
        ("a", "..f", false),
        // Itself.
        ("a", "a", false),
        ("a", "a/../..", false),
    ]

    private static func tree(_ links: [(path: ByteString, target: ByteString)]) -> Tree {
        var tree = Tree()
        func add(_ kind: NodeKind, _ name: ByteString, in directory: InodeID) -> InodeID {
            let inode = InodeID(UInt64(tree.nodes.count) + 1)
            tree.nodes[inode] = Node(kind: kind, attributes: Attributes(mode: 0o755))
            tree.nodes[directory]?.entries[name] = inode
            return inode
        }
        let outer = add(.directory, "d", in: .root)
        let inner = add(.directory, "e", in: outer)
        for directory in [InodeID.root, outer] { _ = add(.regular, "f", in: directory) }
        for (path, target) in links {
            let parts = path.bytes.split(separator: UInt8(ascii: "/"))
            _ = add(.symbolicLink(target: target), ByteString(parts.last!), in: [.root, outer, inner][parts.count - 1])
        }
        return tree
    }

    @Test(arguments: links.indices) func `a link leaves its tree or not`(index: Int) {
        let (path, target, leaves) = Self.links[index]
        let found = Self.tree([(path, target)]).escapingLinks()
        #expect(found == (leaves ? [EscapingLink(path: path, target: target)] : []))
    }

    @Test func `a link that goes through another one leaves where that one leads`() {
        let chain = Self.tree([("a", "b"), ("b", "c/x"), ("c", "/srv"), ("z", "d")])
        #expect(chain.escapingLinks().map(\.path) == ["a", "b", "c"])
        // From where `d/e` is, up is `d`, and not the root of the tree.
        let deep = Self.tree([("in", "d/e"), ("stays", "in/../f"), ("leaves", "in/../../../f")])
        #expect(deep.escapingLinks().map(\.path) == ["leaves"])
        let round = Self.tree([("a", "b/.."), ("b", "a/..")])
        #expect(round.escapingLinks().isEmpty)
    }

    @Test func `a link that no name reaches leads nowhere`() {
        var tree = Self.tree([("a", "/srv")])
        tree.nodes[.root]?.entries["a"] = nil
        #expect(tree.escapingLinks().isEmpty)
    }

    /// Each level has a name of 200 bytes: the paths of all of them together have 3.6 GB.
    @Test func `a tree of many levels takes no path for each of them`() {
        let name = ByteString([UInt8](repeating: UInt8(ascii: "n"), count: 200))
        var tree = Tree()
        var directory = InodeID.root
        for number in UInt64(2)...6000 {
            tree.nodes[InodeID(number)] = Node(kind: .directory, attributes: Attributes(mode: 0o755))
            tree.nodes[directory]?.entries[name] = InodeID(number)
            directory = InodeID(number)
        }
        let link = InodeID(9999)
        tree.nodes[link] = Node(kind: .symbolicLink(target: "/etc"), attributes: Attributes(mode: 0o777))
        for place in [InodeID.root, directory] { tree.nodes[place]?.entries["l"] = link }
        let before = Self.peakKilobytes
        let links = tree.escapingLinks()
        #expect(links.count == 2 && links.contains { $0.path == "l" })
        // Of the other one the end is told.
        #expect(links.allSatisfy { $0.path.count <= 4200 && $0.path.bytes.last == UInt8(ascii: "l") })
        #expect(Self.peakKilobytes - before < 1536 << 10)
    }

    private static var peakKilobytes: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss
    }
}
