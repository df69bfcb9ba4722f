import Bytes
import Exploration
import Storage
import Testing

@testable import Model

/// What `ignore` in a manifest takes out of a recording, and what it leaves as it was.
@Suite struct IgnoredFileTests {
    /// A recording of these changes; each gets the next operation id.
    private func recording(base: Tree = Tree(), _ changes: [Change]) throws -> Recording {
        let events = changes.enumerated().map { index, change in
            TraceEvent.operation(Operation(id: OperationID(UInt64(index) + 1), change))
        }
        return try checked(Recording(base: base, events: events, payloads: PayloadArena()))
    }

    /// The recording, if it is one that a trace file may hold.
    private func checked(_ recording: Recording) throws -> Recording {
        var validator = TraceValidator()
        for record in recording.base.baseRecords() { try validator.check(record) }
        try validator.checkBaseEnd()
        for event in recording.events {
            try validator.check(event)
            #expect(TraceRecord.event(event).violation == nil)
        }
        return recording
    }

    private static func create(_ inode: UInt64, _ name: ByteString, in directory: InodeID = .root) -> Change {
        .create(InodeID(inode), .regular, Attributes(mode: 0o600), at: DirectoryEntry(directory, name))
    }

    private static func rename(_ from: ByteString, _ to: ByteString) -> Change {
        .rename(from: DirectoryEntry(.root, from), to: DirectoryEntry(.root, to), .replace)
    }

    private func ignoring(_ patterns: String..., in recording: Recording) throws -> (Recording, [String]) {
        var recording = recording
        let count = recording.events.count
        let globs = try patterns.map { try Glob(parsing: ByteString($0)) }
        let paths = recording.ignore(globs)
        #expect(recording.events.count == count, "crash points must stay as they were")
        return (try checked(recording), paths.map(\.description).sorted())
    }

    /// The paths in the state at the end, with everything kept or lost.
    private func names(_ recording: Recording, _ choice: Choice) throws -> [String] {
        let tree = try recording.state(.posixMin, at: recording.events.count, choice).tree
        return tree.nodes[.root]?.entries.keys.map(\.description).sorted() ?? []
    }

    @Test func `a file whose names all match is in no state, and leaves nothing to lose`() throws {
        let before = try recording([
            Self.create(2, "data"), Self.create(3, "LOG"), Self.rename("LOG", "LOG.old"), Self.create(4, "LOG"),
            .truncate(InodeID(4), sizeBytes: 5),
        ])
        let (after, paths) = try ignoring("LOG*", in: before)
        #expect(paths == ["LOG", "LOG.old"])
        #expect(try names(after, .everything) == ["data"])
        let (pending, _) = try after.pendingSet(.posixMin, at: after.events.count)
        #expect(pending.pendingEffectCount == 1)
        #expect(try names(before, .everything) == ["LOG", "LOG.old", "data"])
    }

    @Test func `a temporary name of a file that counts is kept`() throws {
        let (after, paths) = try ignoring(
            "*.tmp", in: recording([Self.create(2, "a.tmp"), Self.rename("a.tmp", "a"), Self.create(3, "b.tmp")]))
        #expect(paths == ["b.tmp"])
        #expect(try names(after, .everything) == ["a"])
    }

    @Test func `an ignored file that replaces one that counts removes it`() throws {
        let (after, paths) = try ignoring(
            "*.tmp",
            in: recording([
                Self.create(2, "a"), Self.rename("a", "a.tmp"), Self.create(3, "b.tmp"), Self.rename("b.tmp", "a.tmp"),
            ]))
        #expect(paths == ["a.tmp", "b.tmp"])
        #expect(try names(after, .everything) == [])
    }

    @Test func `a directory takes its files along, unless one of them counts`() throws {
        let directory = Change.create(
            InodeID(2), .directory, Attributes(mode: 0o700), at: DirectoryEntry(.root, "tmp"))
        let inside = Self.create(3, "x", in: InodeID(2))
        let (after, paths) = try ignoring("tmp", in: recording([directory, inside]))
        #expect(paths == ["tmp", "tmp/x"])
        #expect(try names(after, .everything) == [])
        let out = Change.rename(from: DirectoryEntry(InodeID(2), "x"), to: DirectoryEntry(.root, "x"), .replace)
        let (moved, none) = try ignoring("tmp", in: recording([directory, inside, out]))
        #expect(none == [])
        #expect(try names(moved, .everything) == ["tmp", "x"])
    }

    @Test func `a file of the base stays as it was, until its name changes`() throws {
        var base = Tree()
        for (inode, name) in [(2, "LOG"), (3, "LOCK")] as [(UInt64, ByteString)] {
            base.nodes[InodeID(inode)] = Node(kind: .regular, attributes: Attributes(mode: 0o600))
            base.nodes[.root]?.entries[name] = InodeID(inode)
        }
        let (after, paths) = try ignoring(
            "LO*",
            in: recording(
                base: base,
                [
                    .truncate(InodeID(3), sizeBytes: 9), .unlink(DirectoryEntry(.root, "LOG")), Self.create(4, "LOG"),
                ]))
        #expect(paths == ["LOCK", "LOG"])
        for choice in [Choice.everything, .nothing] { #expect(try names(after, choice) == ["LOCK"]) }
        #expect(after.base.nodes[InodeID(3)]?.sizeBytes == 0)
    }

    @Test func `a sync of an ignored file makes nothing durable`() throws {
        let events: [TraceEvent] = [
            .operation(Operation(id: OperationID(1), Self.create(2, "data"))),
            .operation(Operation(id: OperationID(2), Self.create(3, "LOG"))),
            .barrierBegan(OperationID(3), .fsync(InodeID(3)), process: 0), .barrierEnded(OperationID(3), errno: 0),
        ]
        let before = try checked(Recording(base: Tree(), events: events, payloads: PayloadArena()))
        let (after, _) = try ignoring("LOG", in: before)
        let lost = try after.state(.ext4Ordered, at: events.count, .nothing).tree
        #expect(lost.nodes[.root]?.entries.isEmpty == true)
        // Without `ignore` the sync commits the journal, with the name of the other file.
        let kept = try before.state(.ext4Ordered, at: events.count, .nothing).tree
        #expect(kept.nodes[.root]?.entries.count == 2)
    }
}
