import Bytes
import Model
import Testing

struct LossTableTests {
    /// What a crash that loses all it may has lost, of files that are made in these directories and written to.
    private func patterns(_ paths: [ByteString]) -> [String] {
        var set = PendingSet(profile: .posixMin, base: Tree())
        var (nextInode, nextOperation) = (UInt64(2), UInt64(1))
        var directories: [ByteString: InodeID] = ["": .root]
        func add(_ change: Change) {
            set.add(.operation(Operation(id: OperationID(nextOperation), change)))
            nextOperation += 1
        }
        for path in paths {
            var (parent, prefix) = (InodeID.root, ByteString(""))
            let components = path.bytes.split(separator: UInt8(ascii: "/")).map { ByteString(Array($0)) }
            for (depth, name) in components.enumerated() {
                prefix = prefix.isEmpty ? name : prefix.appending(component: name)
                if let known = directories[prefix] {
                    parent = known
                    continue
                }
                let inode = InodeID(nextInode)
                nextInode += 1
                let isFile = depth == components.count - 1
                add(
                    .create(
                        inode, isFile ? .regular : .directory, Attributes(mode: 0o600), at: DirectoryEntry(parent, name)
                    ))
                if isFile {
                    add(.write(inode, offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 600)))
                } else {
                    directories[prefix] = inode
                }
                parent = inode
            }
        }
        return set.lossTable().patterns(lostBy: set.survivors(.nothing)).map(\.description)
    }

    @Test func `names that print as words are not taken apart`() {
        #expect(
            patterns(["a,b.db", "my file.db", "two\nlines"])
                == ["name a,b.db", "name my file.db", "name two\\x0alines"]
                + ["write a,b.db", "write my file.db", "write two\\x0alines"])
    }

    @Test func `hashes in one directory are one pattern, those of digits or letters alone too`() {
        let names: [ByteString] = ["o/4e66c13b", "o/42424242", "o/abcdefab", "o/index", "o/db"]
        #expect(
            patterns(names) == ["name o", "name o/*", "name o/db", "name o/index"]
                + ["write o/*", "write o/db", "write o/index"])
    }

    @Test func `directories that hashes are spread over are one pattern`() {
        let hash = "66c13b8c4c8c44a291cde6"
        let names = ["4e", "42", "ab", "db"].map { ByteString("objects/\($0)/\(hash)") } + ["objects/ff/index"]
        #expect(
            patterns(names)
                == ["name objects", "name objects/*", "name objects/*/*", "name objects/ff", "name objects/ff/index"]
                + ["write objects/*/*", "write objects/ff/index"])
        // Alone it is a name.
        #expect(patterns([ByteString("objects/db/\(hash)")]).contains("write objects/db/*"))
    }

    static let texts: [(text: String, pattern: LossPattern?)] = [
        ("write o/*", LossPattern(.write, TextPattern(printed: "o/*"))),
        ("write o/42b674b533599e6455f15698c83215bcb5e6ce12", LossPattern(.write, TextPattern(printed: "o/*"))),
        ("write #-#.log", LossPattern(.write, TextPattern(printed: "#-#.log"))),
        ("removal of the name a.db-journal", LossPattern(.removal, TextPattern(printed: "a.db-journal"))),
        ("name two\\x0alines, and more", LossPattern(.name, TextPattern(of: "two\nlines, and more"))),
        ("zeros at an edge in a.db", LossPattern(.zeros, TextPattern(of: "a.db"))),
        ("size of a.db", LossPattern(.size, TextPattern(of: "a.db"))),
        ("mode and owner of .", LossPattern(.attributes, TextPattern(of: "."))),
        (
            "attribute user.x of a",
            LossPattern(.extendedAttribute, TextPattern(of: "a"), attribute: TextPattern(of: "user.x"))
        ),
        ("write ", nil), ("fsync a.db", nil), ("a.db-journal", nil), ("attribute a", nil),
    ]

    @Test(arguments: texts) func `a pattern reads as it prints`(text: String, pattern: LossPattern?) {
        #expect(LossPattern(parsing: text) == pattern)
        if let pattern { #expect(LossPattern(parsing: pattern.description) == pattern) }
    }
}
