import Bytes
import Exploration
import Model
import Testing

@testable import Report

struct TraceNarratorTests {
    private static let file = InodeID(2)
    private static let folder = InodeID(3)
    private static let mode = Attributes(mode: 0o644, owner: 1, group: 2)

    private static func write(_ inode: InodeID, _ offset: UInt64, _ count: UInt64) -> Change {
        .write(inode, offsetBytes: offset, data: Payload(offsetBytes: 0, countBytes: count))
    }

    /// The deeds of a trace of these changes, in a tree with `/dir` (inode 3) and `/dir/old` (inode 4).
    private func deeds(_ changes: [Change]) -> [String] {
        var narrator = TraceNarrator()
        narrator.follow(.entry(DirectoryEntry(.root, "dir"), Self.folder))
        narrator.follow(.entry(DirectoryEntry(Self.folder, "old"), InodeID(4)))
        return changes.enumerated().map { index, change in
            narrator.narrate(.operation(Operation(id: OperationID(UInt64(index + 1)), change))).summary
        }
    }

    @Test(
        arguments: [
            ([.create(file, .regular, mode, at: DirectoryEntry(.root, "a"))], ["create /a 0644 owner 1:2"]),
            ([write(InodeID(4), 512, 4096)], ["write /dir/old [512, +4096)"]),
            ([.truncate(InodeID(4), sizeBytes: 7)], ["truncate /dir/old to 7"]),
            (
                [
                    .rename(from: DirectoryEntry(folder, "old"), to: DirectoryEntry(.root, "new"), .replace),
                    write(InodeID(4), 0, 1),
                ],
                ["rename /dir/old -> /new", "write /new [0, +1)"]
            ),
            (
                [.unlink(DirectoryEntry(folder, "old")), write(InodeID(4), 0, 1)],
                ["unlink /dir/old", "write /dir/old (gone) [0, +1)"]
            ),
            (
                [
                    .create(file, .regular, mode, at: DirectoryEntry(.root, "a")),
                    .rename(from: DirectoryEntry(.root, "a"), to: DirectoryEntry(folder, "old"), .exchange),
                    write(file, 0, 1),
                    write(InodeID(4), 0, 1),
                ],
                [
                    "create /a 0644 owner 1:2", "exchange /a -> /dir/old", "write /dir/old [0, +1)", "write /a [0, +1)",
                ]
            ),
            (
                [
                    .rename(from: DirectoryEntry(.root, "dir"), to: DirectoryEntry(.root, "d"), .replace),
                    write(InodeID(4), 0, 1),
                ],
                ["rename /dir -> /d", "write /d/old [0, +1)"]
            ),
            ([.link(InodeID(4), at: DirectoryEntry(.root, "l"))], ["link /l = /dir/old"]),
            ([.create(file, .symbolicLink(target: "x"), mode, at: DirectoryEntry(.root, "s"))], ["symlink /s -> x"]),
            ([write(InodeID(99), 0, 1)], ["write /(inode 99) [0, +1)"]),
            (
                [.create(file, .regular, mode, at: DirectoryEntry(.root, ByteString([0xFF, 0x0A])))],
                ["create /\\xff\\x0a 0644 owner 1:2"]
            ),
            ([.setExtendedAttribute(InodeID(4), name: "user.a", value: nil)], ["removexattr /dir/old user.a"]),
            ([.allocate(InodeID(4), offsetBytes: 1, countBytes: 2, .punchHole)], ["punch /dir/old [1, +2)"]),
        ] as [([Change], [String])])
    func `paths are those of the moment`(changes: [Change], expected: [String]) {
        #expect(deeds(changes) == expected)
    }

    @Test func `directories that hold each other have an end`() {
        let changes: [Change] = [
            .rename(from: DirectoryEntry(.root, "dir"), to: DirectoryEntry(Self.folder, "dir"), .replace),
            Self.write(InodeID(4), 0, 1),
        ]
        #expect(deeds(changes).count == 2)
    }

    @Test func `a line has the crash point, the operation and what happened`() {
        var narrator = TraceNarrator()
        _ = narrator.narrate(.oracle(Payload(offsetBytes: 0, countBytes: 0)))
        let line = narrator.narrate(.barrierEnded(OperationID(12), errno: 5))
        #expect(line.text(oracleLine: nil) == "      2  op 12      sync failed errno 5")
        let forced = narrator.narrate(.barrierBegan(OperationID(14), .forceUnitAccess(OperationID(13)), process: 0))
        #expect(forced.text(oracleLine: nil) == "      3  op 14      force unit access op 13")
    }

    @Test func `a file that has lost one of its names is told by another`() {
        var narrator = TraceNarrator()
        narrator.follow(.entry(DirectoryEntry(.root, "f"), Self.file))
        var id: UInt64 = 0
        func tell(_ change: Change) -> String {
            id += 1
            return narrator.narrate(.operation(Operation(id: OperationID(id), change))).path.map { "\($0)" } ?? ""
        }
        _ = tell(.link(Self.file, at: DirectoryEntry(.root, "g")))
        #expect(tell(.truncate(Self.file, sizeBytes: 0)) == "/g")
        _ = tell(.unlink(DirectoryEntry(.root, "g")))
        #expect(tell(.truncate(Self.file, sizeBytes: 1)) == "/f")
        _ = tell(.unlink(DirectoryEntry(.root, "f")))
        #expect(tell(.truncate(Self.file, sizeBytes: 2)) == "/f (gone)")
    }

    @Test func `a file of many names is told by the newest that it has`() {
        var narrator = TraceNarrator()
        narrator.follow(.entry(DirectoryEntry(.root, "f"), Self.file))
        var id: UInt64 = 0
        func tell(_ change: Change) -> String {
            id += 1
            return narrator.narrate(.operation(Operation(id: OperationID(id), change))).path.map { "\($0)" } ?? ""
        }
        func told() -> String { tell(.truncate(Self.file, sizeBytes: 0)) }
        // Names come and go in every order, more often than the narrator keeps old ones.
        for round in 0..<40 {
            for name in ["a", "b", "c"] as [ByteString] { _ = tell(.link(Self.file, at: DirectoryEntry(.root, name))) }
            #expect(told() == "/c", "\(round)")
            _ = tell(.unlink(DirectoryEntry(.root, "b")))
            #expect(told() == "/c")
            _ = tell(.unlink(DirectoryEntry(.root, "c")))
            #expect(told() == "/a")
            _ = tell(.unlink(DirectoryEntry(.root, "f")))
            _ = tell(.link(Self.file, at: DirectoryEntry(.root, "f")))
            #expect(told() == "/f")
            _ = tell(.unlink(DirectoryEntry(.root, "a")))
            #expect(told() == "/f")
        }
    }

    /// Each path has 200 bytes more than the one before: all of them together would have 900 MB.
    @Test func `what lies deeper than a path can be long is told by the end of its path`() {
        let name = ByteString([UInt8](repeating: UInt8(ascii: "n"), count: 200))
        var narrator = TraceNarrator()
        var longest = 0
        for number in UInt64(10)..<3010 {
            let directory = number == 10 ? InodeID.root : InodeID(number - 1)
            let change = Change.create(InodeID(number), .directory, Self.mode, at: DirectoryEntry(directory, name))
            let line = narrator.narrate(.operation(Operation(id: OperationID(number), change)))
            longest = max(longest, line.path?.count ?? 0)
            if number == 11 { #expect(line.path == ByteString("/\(name)/\(name)")) }
        }
        #expect(longest <= 4099)
    }

    @Test func `statistics count what was written where, and what had not returned`() {
        var narrator = TraceNarrator()
        var statistics = TraceStatistics()
        narrator.follow(.entry(DirectoryEntry(.root, "a"), Self.file))
        let events: [TraceEvent] = [
            .operation(Operation(id: OperationID(1), Self.write(Self.file, 0, 10), isComplete: false)),
            .operation(Operation(id: OperationID(2), Self.write(Self.file, 10, 5), isComplete: false)),
            .completed(OperationID(1)), .barrierBegan(OperationID(3), .fsync(Self.file), process: 1),
            .barrierEnded(OperationID(3), errno: 5), .barrierBegan(OperationID(4), .fdatasync(Self.file), process: 1),
            .oracle(Payload(offsetBytes: 0, countBytes: 3)), .fault(OperationID(3), rule: "fsync nth=1 -> EIO"),
        ]
        for event in events { statistics.count(event, narrator.narrate(event)) }
        #expect(statistics.events == 8)
        #expect(statistics.operations == 2)
        #expect(statistics.writtenBytes == 15)
        #expect(statistics.operationsInFlight == 1)
        #expect(statistics.barriers == 2)
        #expect(statistics.openBarriers == 1)
        #expect(statistics.failedBarriers == 1)
        #expect(statistics.oracleLines == 1)
        #expect(statistics.faults == 1)
        #expect(statistics.files.keys.sorted() == ["/a"])
        #expect(statistics.files["/a"]?.writes == 2)
        #expect(statistics.files["/a"]?.writtenBytes == 15)
        #expect(statistics.files["/a"]?.syncs == 2)
        #expect(statistics.tables().files.lines(for: .plain).last == "/a         2     15      2")
    }
}
