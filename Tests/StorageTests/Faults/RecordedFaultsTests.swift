import Bytes
import Glibc
import Model
import Platform
import Storage
import Testing

/// How a trace records faults that were injected above the recording.
@Suite struct RecordedFaultsTests {
    private func record(
        _ rules: String..., body: (FaultyStorage<RuleSet>, any StorageFile) throws -> Void
    ) throws -> RecordingStorage {
        let recording = try RecordingStorage(MemoryStorage(contents: ["a": pattern(1, 8)]))
        let storage = FaultyStorage(recording, RuleSet(try rules.map { try Rule(parsing: $0) }, seed: 1))
        try body(storage, try storage.open("a"))
        return recording
    }

    /// The smallest content of `a` that `profile` allows.
    private func leastOfA(_ recording: RecordingStorage, _ profile: Profile = .posixMin) throws -> [UInt8]? {
        var set = PendingSet(profile: profile, base: recording.base)
        for event in recording.events { set.add(event) }
        return try MemoryStorage(set.tree(set.survivors(.nothing)), payloads: recording.payloads).contents()["a"]
    }

    @Test func `a lying sync makes nothing durable`() throws {
        let recording = try record("fsync nth=1 -> lie") { _, file in
            try file.write(pattern(2, 8), at: 0)
            try file.sync()
        }
        #expect(recording.events.last == .fault(OperationID(2), rule: "fsync nth=1 -> lie"))
        #expect(try leastOfA(recording) == pattern(1, 8))
    }

    @Test(arguments: ["EIO", "EIO lose", "EIO lose ext4-journal"])
    func `writes covered by a failed sync are never durable`(_ fault: String) throws {
        let recording = try record("fsync nth=1 -> \(fault)") { _, file in
            try file.write(pattern(2, 8), at: 0)
            try? file.sync()
            try? file.sync()
            try file.sync()
        }
        #expect(recording.events.contains(.barrierEnded(OperationID(2), errno: EIO)))
        #expect(recording.events.contains(.fault(OperationID(2), rule: ByteString("fsync nth=1 -> \(fault)"))))
        #expect(try leastOfA(recording) == pattern(1, 8))
    }

    @Test func `a failed directory sync is a failed barrier`() throws {
        let recording = try record("fsyncdir -> EIO") { storage, _ in try? storage.syncDirectory() }
        let id = OperationID(1)
        #expect(
            recording.events == [
                .barrierBegan(id, .fsync(.root), process: getpid()), .fault(id, rule: "fsyncdir -> EIO"),
                .barrierEnded(id, errno: EIO),
            ])
    }

    @Test func `a fault comes before the rest of its operation`() throws {
        let recording = try record("write nth=1 -> short 3", "write nth=2 -> EIO") { _, file in
            try? file.write(pattern(2, 8), at: 0)
        }
        guard case .operation(let write) = recording.events[1], case .write(_, 0, let data) = write.change else {
            Issue.record("\(recording.events)")
            return
        }
        #expect(data.countBytes == 3)
        #expect(recording.events[0] == .fault(OperationID(1), rule: "write nth=1 -> short 3"))
        #expect(recording.events[2] == .fault(OperationID(3), rule: "write nth=2 -> EIO"))
        #expect(recording.events.count == 3)
    }

    @Test(arguments: [("crash", 1), ("crash after", 2)]) func `nothing is recorded after a crash`(_ row: (String, Int))
        throws
    {
        let recording = try record("write -> \(row.0)") { storage, file in
            try? file.write(pattern(2, 8), at: 0)
            try? file.sync()
            try? storage.unlink("a")
        }
        #expect(recording.events.count == row.1)
        #expect(recording.events.last == .fault(OperationID(UInt64(row.1)), rule: ByteString("write -> \(row.0)")))
    }

    @Test func `a barrier in flight at a power cut never returns`() throws {
        /// Cuts the power during a sync.
        final class Cutting: StorageInterposer {
            let cut = Guarded<(@Sendable () -> Void)?>(nil)
            func interpose(
                _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
            ) throws(StorageError) {
                if call == .sync { cut.withLock { $0 }?() }
                try proceed()
            }
        }
        let cutting = Cutting()
        let recording = try RecordingStorage(InterposedStorage(MemoryStorage(), cutting))
        let storage = FaultyStorage(recording, RuleSet([try Rule(parsing: "unlink -> crash")], seed: 1))
        cutting.cut.withLock { $0 = { try? storage.unlink("none") } }
        let file = try storage.create("a")
        #expect(throws: StorageError.injected(.sync, name: "a", errno: EIO, rule: "unlink -> crash")) {
            try file.sync()
        }
        let isEnded = recording.events.contains { if case .barrierEnded = $0 { true } else { false } }
        #expect(!isEnded)
    }
}
