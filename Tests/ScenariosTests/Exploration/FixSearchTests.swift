import Bytes
import Exploration
import Model
import Oracle
import Report
import Storage
import Testing

/// Which sync a store lacks: found by inserting it into the trace, and shown by the states that then no longer fail.
struct FixSearchTests {
    private static func loss(_ kind: LossKind, _ path: String) -> LossPattern {
        LossPattern(kind, TextPattern(printed: path))
    }

    private static func put(_ number: UInt64) -> OracleOperation { .put(number, "k", [UInt8(number)]) }

    /// Puts three values one after the other.
    private static func store(
        _ before: (RecordingStorage) throws -> Void = { _ in }, put: (RecordingStorage, UInt8) throws -> Void
    ) throws -> ScriptedStore {
        try ScriptedStore { storage, say in
            try before(storage)
            for number in 1...3 as ClosedRange<UInt64> {
                say(.begin(Self.put(number)))
                try put(storage, UInt8(number))
                say(.acknowledged(Self.put(number)))
            }
        }
    }

    private func fix(
        of store: ScriptedStore, _ profile: Profile = .posixMin,
        showing shows: @escaping @Sendable (ScriptedStore.Files, ScriptedStore.Look) -> Recovery
    ) throws -> BarrierFix {
        let explorer = try store.explorer(profile, showing: shows)
        try explorer.runToItsEnd()
        let found = try #require(CauseGroup.groups(of: explorer.collector.causes).first?.shown)
        var search = FixSearch(explorer, store.recording, profile) { nil }
        return try search.fix(for: found.cause)
    }

    /// The newest value that a file named for its number holds whole.
    private static let newest: @Sendable (ScriptedStore.Files, ScriptedStore.Look) -> Recovery = { files, _ in
        let whole = (1...3 as ClosedRange<UInt8>).filter { files[ByteString("f\($0)")] == [$0] }
        return .opened(whole.last.map { Observation(["k": [$0]]) } ?? Observation())
    }

    private static let value: @Sendable (ScriptedStore.Files, ScriptedStore.Look) -> Recovery = { files, _ in
        guard let file = files["db"] else { return .opened(Observation()) }
        guard file.count == 1 else { return .failed(reason: "it is empty") }
        return .opened(Observation(["k": file]))
    }

    @Test func `a sync of the directory after each creation`() throws {
        let store = try Self.store {
            let file = try $0.create(ByteString("f\($1)"))
            try file.write([$1], at: 0)
            try file.sync()
        }
        let fix = try fix(of: store, showing: Self.newest)
        #expect(fix.barriers == [BarrierInsertion(.directory, of: Self.loss(.name, "f#"), .afterChange)])
        #expect(fix.insertedCount == 3 && fix.failingCount == 0 && fix.decidedCount > 0 && fix.isExhaustive)
        #expect(fix.obstacle == nil && fix.profile == .posixMin)
    }

    @Test func `a sync of the file before each acknowledgement`() throws {
        let store = try Self.store {
            let file = try $0.create(ByteString("f\($1)"))
            try $0.syncDirectory()
            try file.write([$1], at: 0)
        }
        let fix = try fix(of: store, showing: Self.newest)
        #expect(fix.barriers == [BarrierInsertion(.file, of: Self.loss(.write, "f#"), .beforeAcknowledgement)])
        #expect(fix.insertedCount == 3 && fix.failingCount == 0)
    }

    /// The careless file writer: what is renamed is not synced, so that a crash shows an empty file.
    @Test func `a sync of a file before it is renamed`() throws {
        let store = try Self.store {
            let file = try $0.create("new")
            try file.write([$1], at: 0)
            try $0.rename("new", to: "db")
            try $0.syncDirectory()
        }
        let fix = try fix(of: store, .ext4Writeback, showing: Self.value)
        #expect(fix.barriers.map(\.moment) == [.beforeRename] && fix.barriers.map(\.target) == [.file], "\(fix)")
        #expect(fix.failingCount == 0)
    }

    @Test func `two syncs together, where neither is enough`() throws {
        let store = try Self.store {
            let file = try $0.create(ByteString("f\($1)"))
            try file.write([$1], at: 0)
        }
        // Any value that was ever acknowledged is asked for: the file and its name have to be durable.
        let explorer = try store.explorer(.posixMin, showing: Self.newest)
        try explorer.runToItsEnd()
        let causes = explorer.collector.causes
        #expect(Set(causes.flatMap(\.cause.losses)) == [Self.loss(.name, "f#"), Self.loss(.write, "f#")])
        for found in causes {
            var search = FixSearch(explorer, store.recording, .posixMin) { nil }
            let fix = try search.fix(for: found.cause)
            // For the other cause states still fail: each finding has its own fix.
            #expect(fix.obstacle == nil && fix.failingCount > 0, "\(found.cause) \(fix)")
        }
    }

    @Test func `no sync mends a write that tears in place`() throws {
        let before = { (storage: RecordingStorage) in
            let file = try storage.create("db")
            try file.write([UInt8](repeating: 0, count: 1024), at: 0)
            try file.sync()
            try storage.syncDirectory()
        }
        let store = try Self.store(before) {
            let file = try $0.open("db")
            try file.write([UInt8](repeating: $1, count: 1024), at: 0)
            try file.sync()
        }
        let fix = try fix(of: store) { files, _ in
            guard let file = files["db"], let first = file.first, first > 0 else { return .opened(Observation()) }
            return file.allSatisfy { $0 == first } ? .opened(Observation(["k": [first]])) : .failed(reason: "torn")
        }
        #expect(fix.barriers == [] && fix.obstacle == .tornWrite && fix.triedCount > 0, "\(fix)")
    }

    @Test func `no sync mends a store that fails with nothing lost`() throws {
        let store = try Self.store { storage, _ in try storage.syncDirectory() }
        let fix = try fix(of: store) { _, _ in .opened(Observation()) }
        #expect(fix.barriers == [] && fix.obstacle == .nothingLost)
    }

    @Test func `without time it is said that there was none`() throws {
        let store = try Self.store { try $0.create(ByteString("f\($1)")).write([$1], at: 0) }
        let explorer = try store.explorer(.posixMin, showing: Self.newest)
        try explorer.runToItsEnd()
        var search = FixSearch(explorer, store.recording, .posixMin) { .budget }
        #expect(try search.fix(for: explorer.collector.causes[0].cause).obstacle == .noTime)
    }

    // MARK: - Edited traces

    private static let careful = Result {
        try store {
            let file = try $0.create("new")
            try file.write([$1], at: 0)
            try file.sync()
            try $0.rename("new", to: "db")
            try $0.syncDirectory()
            // Superfluous: it was durable before.
            try file.sync()
        }
    }

    @Test func `without one of its barriers a careful store fails, without a superfluous one it does not`() throws {
        let recording = try Self.careful.get().recording
        let barriers = recording.barriers.map { "\($0.pattern.call) \($0.pattern.path!) \($0.count)" }
        #expect(barriers == ["fdatasync new 3", "fsync . 3", "fdatasync db 3"])
        let explorer = try Self.careful.get().explorer(.posixMin, showing: Self.value)
        try explorer.runToItsEnd()
        #expect(explorer.counts.failing == 0)
        for (pattern, count) in recording.barriers {
            let edited = recording.removing(pattern)
            #expect(edited.count == count && edited.recording.events.count == recording.events.count - 2 * count)
            try explorer.begin(edited.recording, .posixMin)
            try explorer.runToItsEnd()
            let isNeeded = pattern.path != TextPattern(printed: "db")
            #expect((explorer.counts.failing > 0) == isNeeded, "\(pattern)")
        }
    }

    @Test(arguments: BarrierInsertion.Moment.allCases)
    func `an edited trace is one that a storage can have made`(moment: BarrierInsertion.Moment) throws {
        let recording = try Self.careful.get().recording
        let insertions = LossKind.allCases.map {
            BarrierInsertion([.name, .removal].contains($0) ? .directory : .file, of: Self.loss($0, "*"), moment)
        }
        let added = try recording.inserting(insertions)
        #expect(added.count > 0)
        let removed = added.recording.removing(BarrierPattern(.fsync, TextPattern(printed: ".")))
        for edited in [added.recording, removed.recording] {
            var validator = TraceValidator()
            for record in edited.base.baseRecords() { try validator.check(record) }
            try validator.checkBaseEnd()
            for event in edited.events { try validator.check(event) }
        }
    }
}
