import Bytes
import Foundation
import Model
import Testing

@testable import Storage

struct TreeMaterialiserTests {
    let arena = PayloadArena()
    let scratch = Scratch()

    private func file(_ text: String, size: UInt64? = nil, mode: UInt32 = 0o644) -> Node {
        var node = Node(kind: .regular, attributes: Attributes(mode: mode))
        node.content.write(arena.store(Array(text.utf8)), at: 0)
        node.sizeBytes = size ?? UInt64(text.utf8.count)
        return node
    }

    private func tree(_ children: [(ByteString, InodeID, Node)]) -> Tree {
        var tree = Tree(rootAttributes: Attributes(mode: 0o700))
        for (name, inode, node) in children {
            tree.nodes[inode] = node
            tree.nodes[.root]!.entries[name] = inode
        }
        return tree
    }

    @Test func `files have their bytes, sizes and modes`() throws {
        let tree = tree([("a", InodeID(2), file("hello", size: 3, mode: 0o600)), ("b", InodeID(3), file("x", size: 5))])
        try TreeMaterialiser(payloads: arena).materialise(tree, into: scratch.path)
        #expect(scratch.contents("a") == Array("hel".utf8))
        #expect(scratch.contents("b") == Array("x".utf8) + [0, 0, 0, 0])
        #expect(scratch.mode("a") == 0o600)
    }

    @Test func `set-user-ID is not written`() throws {
        let tree = tree([("a", InodeID(2), file("x", mode: 0o6755))])
        try TreeMaterialiser(payloads: arena).materialise(tree, into: scratch.path)
        #expect(scratch.mode("a") == 0o755)
    }

    @Test func `hard links stay one file`() throws {
        let node = file("same")
        let tree = tree([("a", InodeID(2), node), ("b", InodeID(2), node)])
        try TreeMaterialiser(payloads: arena).materialise(tree, into: scratch.path)
        #expect(scratch.inode("a") == scratch.inode("b"))
    }

    @Test(arguments: ["../escape", "a/b", "..", ".", "", "nul\0name"] as [ByteString])
    func `hostile names are errors`(_ name: ByteString) throws {
        #expect(throws: TreeError.invalidName(name, directory: scratch.path)) {
            try TreeMaterialiser(payloads: arena).materialise(tree([(name, InodeID(2), file("x"))]), into: scratch.path)
        }
    }

    @Test func `the directory must be empty`() throws {
        try TreeMaterialiser(payloads: arena).materialise(tree([("a", InodeID(2), file("x"))]), into: scratch.path)
        #expect(throws: TreeError.directoryNotEmpty(scratch.path)) {
            try TreeMaterialiser(payloads: arena).materialise(tree([]), into: scratch.path)
        }
    }

    @Test func `a directory within itself is an error`() throws {
        var loop = Node(kind: .directory, attributes: Attributes(mode: 0o755))
        loop.entries["again"] = InodeID(2)
        #expect(throws: TreeError.self) {
            try TreeMaterialiser(payloads: arena).materialise(tree([("d", InodeID(2), loop)]), into: scratch.path)
        }
    }

    /// Thirty levels with two names for the same directory each: 2^30 directories if they were created.
    @Test func `a directory with two names is an error`() throws {
        var tree = tree([])
        for level in 0..<30 as Range<UInt64> {
            var node = Node(kind: .directory, attributes: Attributes(mode: 0o755))
            if level < 29 { node.entries = ["a": InodeID(level + 3), "b": InodeID(level + 3)] }
            tree.nodes[InodeID(level + 2)] = node
        }
        tree.nodes[.root]!.entries["top"] = InodeID(2)
        let inner = ByteString("\(scratch.path)/top" + String(repeating: "/a", count: 28) + "/b")
        #expect(throws: TreeError.directoryTwice(path: inner)) {
            try TreeMaterialiser(payloads: arena).materialise(tree, into: scratch.path)
        }
    }

    /// Nested directories with names of 200 bytes: twenty make a path of 4,019 bytes, one more is too long.
    @Test(arguments: [20, 21, 3000]) func `a path that is too long is an error`(levels: Int) throws {
        let name = ByteString([UInt8](repeating: UInt8(ascii: "n"), count: 200))
        var tree = tree([])
        for level in 1...UInt64(levels) {
            tree.nodes[InodeID(level + 1)] = Node(kind: .directory, attributes: Attributes(mode: 0o755))
            tree.nodes[InodeID(level)]!.entries[name] = InodeID(level + 1)
        }
        func write() throws { try TreeMaterialiser(payloads: arena).materialise(tree, into: scratch.path) }
        guard levels > 20 else { return try write() }
        let error = TreeError.pathTooLong(name: name, countBytes: 21 * 201 - 1)
        #expect(throws: error) { try write() }
        #expect("\(error)".utf8.count < 400)
    }

    @Test func `removing does not follow links`() throws {
        let outside = Scratch()
        try Data("precious".utf8).write(to: URL(filePath: "\(outside.path)/keep"))
        var tree = tree([("f", InodeID(2), file("x", mode: 0))])
        tree.nodes[InodeID(3)] = Node(kind: .symbolicLink(target: outside.path), attributes: Attributes(mode: 0o777))
        tree.nodes[.root]!.entries["link"] = InodeID(3)
        var closed = Node(kind: .directory, attributes: Attributes(mode: 0))
        closed.entries["inner"] = InodeID(2)
        tree.nodes[InodeID(4)] = closed
        tree.nodes[.root]!.entries["closed"] = InodeID(4)
        try TreeMaterialiser(payloads: arena).materialise(tree, into: scratch.path)
        try TreeRemoval.removeContents(of: scratch.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)").isEmpty)
        #expect(outside.contents("keep") == Array("precious".utf8))
    }
}

/// A temporary directory, removed with the value.
final class Scratch {
    let path: ByteString

    init() {
        let url = FileManager.default.temporaryDirectory.appending(path: "faultline-test-\(UUID().uuidString)")
        try! FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = ByteString(url.path)
    }

    deinit { try? FileManager.default.removeItem(atPath: "\(path)") }

    func contents(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map(Array.init)
    }

    func inode(_ name: String) -> Int? { attribute(name, .systemFileNumber) }

    func mode(_ name: String) -> Int? { attribute(name, .posixPermissions) }

    private func attribute(_ name: String, _ key: FileAttributeKey) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        return (attributes?[key] as? NSNumber)?.intValue
    }
}
