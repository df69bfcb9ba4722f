import Bytes
import Exploration
import Model
import Oracle
import Storage
import Testing

/// Which barriers of a run are needed: found by leaving them out.
struct BarrierSearchTests {
    private static func put(_ number: UInt64) -> OracleOperation { .put(number, "k", [UInt8(number)]) }

    /// The value is the file `db`, which each put replaces by a rename.
    private static let value: @Sendable (ScriptedStore.Files, ScriptedStore.Look) -> Recovery = { files, _ in
        guard let file = files["db"] else { return .opened(Observation()) }
        guard file.count == 1 else { return .failed(reason: "it is empty") }
        return .opened(Observation(["k": file]))
    }

    private static func search(
        _ store: ScriptedStore,
        showing shows: @escaping @Sendable (ScriptedStore.Files, ScriptedStore.Look) -> Recovery = value
    ) throws -> BarrierSearch {
        let explorer = try store.explorer(.posixMin, showing: shows)
        try explorer.runToItsEnd()
        return BarrierSearch(explorer, store.recording, .posixMin, known: explorer.allCauses.map(\.cause)) {
            try store.explorer(.posixMin, of: $0, showing: shows)
        }
    }

    /// The call, the files, the number, and why it is needed; `-` if it is not.
    private static func rows(
        _ search: BarrierSearch, shouldStop: @escaping () -> StopReason? = { nil }
    ) throws -> [String] {
        var search = search
        return try search.patterns.map { pattern, count in
            let result = try search.result(without: pattern, shouldStop: shouldStop)
            #expect(result.count == count && result.pattern == pattern)
            let need =
                switch result.answer {
                case .needed(let cause, _, let isDuringRecovery):
                    cause.cause.check.rawValue + (isDuringRecovery ? " in recovery" : "")
                case .notNeeded: "-"
                case .outOfTime: "?"
                }
            return "\(pattern.call) \(pattern.path!) \(count): \(need)"
        }
    }

    /// Writes a temporary file, syncs it, renames it, syncs the directory, and then does `after`.
    private static func store(_ after: @escaping (RecordingStorage, any StorageFile) throws -> Void) throws
        -> ScriptedStore
    {
        try ScriptedStore { storage, say in
            for number in 1...3 as ClosedRange<UInt64> {
                say(.begin(put(number)))
                let file = try storage.create("new")
                try file.write([UInt8(number)], at: 0)
                try file.sync()
                try storage.rename("new", to: "db")
                try storage.syncDirectory()
                try after(storage, file)
                say(.acknowledged(put(number)))
            }
        }
    }

    @Test func `a barrier is needed if a state fails without it, and a superfluous one is not`() throws {
        let store = try Self.store { _, file in try file.sync() }
        #expect(
            try Self.rows(Self.search(store)) == ["fdatasync new 3: opens", "fsync . 3: durable", "fdatasync db 3: -"])
    }

    @Test func `of two barriers that do the same work neither is needed`() throws {
        // The data is synced under both names.
        let store = try ScriptedStore { storage, say in
            for number in 1...3 as ClosedRange<UInt64> {
                say(.begin(Self.put(number)))
                let file = try storage.create("new")
                try file.write([UInt8(number)], at: 0)
                try file.sync()
                try storage.rename("new", to: ByteString("f\(number)"))
                try file.sync()
                try storage.syncDirectory()
                say(.acknowledged(Self.put(number)))
            }
        }
        let search = try Self.search(store) { files, _ in
            let whole = (1...3 as ClosedRange<UInt8>).filter { files[ByteString("f\($0)")] == [$0] }
            return .opened(whole.last.map { Observation(["k": [$0]]) } ?? Observation())
        }
        #expect(try Self.rows(search) == ["fdatasync new 3: -", "fdatasync f# 3: -", "fsync . 3: durable"])
    }

    @Test func `failures that the run has anyway do not make a barrier needed`() throws {
        // Nothing is synced before it is acknowledged but the directory, for a file that recovery does not read.
        let store = try ScriptedStore { storage, say in
            for number in 1...3 as ClosedRange<UInt64> {
                say(.begin(Self.put(number)))
                if number == 1 { _ = try storage.create("db") }
                try storage.open("db").write([UInt8(number)], at: 0)
                say(.acknowledged(Self.put(number)))
                let other = try storage.create(ByteString("other\(number)"))
                try other.write([1], at: 0)
                try other.sync()
            }
        }
        #expect(try Self.rows(Self.search(store)) == ["fdatasync other# 3: -"])
    }

    @Test func `without time nothing is told`() throws {
        let store = try Self.store { _, file in try file.sync() }
        #expect(try Self.rows(Self.search(store), shouldStop: { .budget }).allSatisfy { $0.hasSuffix("?") })
    }

    /// Recovery redoes `log` into `db`, whose old content it cuts off first, and empties `log`: without a sync in between.
    private static let redo: @Sendable (any Storage) throws -> Recovery = { storage in
        if try storage.list().contains("log") {
            let log = try storage.open("log")
            let redone = try log.contents()
            if !redone.isEmpty {
                let file = try storage.list().contains("db") ? storage.open("db") : storage.create("db")
                try file.truncate(to: 0)
                try file.write(redone, at: 0)
                try log.truncate(to: 0)
            }
        }
        let value = try storage.list().contains("db") ? storage.open("db").contents() : []
        return .opened(value.isEmpty ? Observation() : Observation(["k": value]))
    }

    @Test func `a barrier that only a crash during recovery needs is needed`() throws {
        let store = try ScriptedStore { storage, say in
            let file = try storage.create("db")
            try storage.syncDirectory()
            say(.begin(Self.put(1)))
            let log = try storage.create("new")
            try log.write([1], at: 0)
            try log.sync()
            try storage.rename("new", to: "log")
            try storage.syncDirectory()
            try file.write([1], at: 0)
            try file.sync()
            try log.truncate(to: 0)
            // Without this one recovery may redo the log after the acknowledgement, which is right unless it is cut short.
            try log.sync()
            say(.acknowledged(Self.put(1)))
        }
        func explorer(_ recording: Recording, depth: Int) throws -> Explorer {
            var limits = ExplorationLimits()
            limits.depth = depth
            return try store.explorer(.posixMin, of: recording, limits: limits, recovering: Self.redo)
        }
        let outer = try explorer(store.recording, depth: 1)
        try outer.runToItsEnd()
        #expect(outer.counts.failing == 0)
        let search = BarrierSearch(outer, store.recording, .posixMin, known: []) { try explorer($0, depth: 2) }
        let rows = try Self.rows(search)
        #expect(rows.last == "fdatasync log 1: durable in recovery", "\(rows)")
    }
}
