import Bytes
import Model
import Testing

struct TreeBaseRecordsTests {
    static let mode = Attributes(mode: 0o644)
    static let root = BaseRecord.node(.root, .directory, mode, sizeBytes: 0)
    static let file = BaseRecord.node(InodeID(2), .regular, mode, sizeBytes: 9)
    static let directory = BaseRecord.node(InodeID(3), .directory, mode, sizeBytes: 0)

    @Test func `a tree comes back from its records`() throws {
        var tree = Tree(rootAttributes: Attributes(mode: 0o700, owner: 1, group: 2))
        var file = Node(kind: .regular, attributes: Self.mode)
        file.sizeBytes = 5000
        file.content.write(Payload(offsetBytes: 90, countBytes: 10), at: 0)
        file.content.write(Payload(offsetBytes: 7, countBytes: 20), at: 4096)
        file.extendedAttributes = ["user.b": "2", "user.a": "1"]
        tree.nodes[InodeID(9)] = file
        tree.nodes[InodeID(5)] = Node(kind: .symbolicLink(target: "x"), attributes: Self.mode)
        tree.nodes[InodeID(4)] = Node(kind: .directory, attributes: Self.mode)
        tree.nodes[.root]?.entries = ["hard": InodeID(9), "d": InodeID(4)]
        tree.nodes[InodeID(4)]?.entries = ["soft": InodeID(5), "link": InodeID(9)]
        #expect(try Tree(baseRecords: tree.baseRecords()) == tree)
    }

    @Test func `content beyond the size is not kept`() throws {
        var tree = Tree()
        var file = Node(kind: .regular, attributes: Self.mode)
        file.sizeBytes = 4
        file.content.write(Payload(offsetBytes: 90, countBytes: 10), at: 0)
        tree.nodes[InodeID(2)] = file
        let content = try Tree(baseRecords: tree.baseRecords()).nodes[InodeID(2)]?.content.extents.map(\.data)
        #expect(content == [Payload(offsetBytes: 90, countBytes: 4)])
    }

    @Test(arguments: [
        ([], BaseTreeError.notADirectory(.root)),
        ([.node(.root, .regular, mode, sizeBytes: 0)], .notADirectory(.root)),
        ([root, root], .duplicateInode(.root)),
        ([root, .entry(DirectoryEntry(.root, "a"), InodeID(2))], .unknownInode(InodeID(2))),
        ([root, file, .entry(DirectoryEntry(InodeID(2), "a"), .root)], .notADirectory(InodeID(2))),
        ([root, .extendedAttribute(InodeID(2), name: "user.a", value: "")], .unknownInode(InodeID(2))),
        ([root, .content(.root, offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 1))], .unknownInode(.root)),
        (
            [
                root, file, .entry(DirectoryEntry(.root, "a"), InodeID(2)),
                .entry(DirectoryEntry(.root, "a"), InodeID(2)),
            ],
            .duplicateName(DirectoryEntry(.root, "a"))
        ),
        (
            [
                root, directory, .entry(DirectoryEntry(.root, "a"), InodeID(3)),
                .entry(DirectoryEntry(InodeID(3), "b"), InodeID(3)),
            ],
            .duplicateName(DirectoryEntry(InodeID(3), "b"))
        ),
        ([root, .entry(DirectoryEntry(.root, "a"), .root)], .duplicateName(DirectoryEntry(.root, "a"))),
        ([root, directory, .entry(DirectoryEntry(InodeID(3), "b"), InodeID(3))], .directoryCycle(InodeID(3))),
    ])
    func `what no filesystem holds is refused`(records: [BaseRecord], error: BaseTreeError) {
        #expect(throws: error) { try Tree(baseRecords: records) }
    }
}
