import Bytes
import Glibc
import Model
import Platform
import Storage
import Testing

@testable import Engine

/// A failed write, sync or rotation: nothing after it is acknowledged, and durable records stay.
@Suite struct FailureTests {
    private static let calls: [StorageCall] = [.write, .sync, .create, .preallocate, .truncate, .syncDirectory]

    /// Puts until something fails. Returns the keys whose sync returned, and the error.
    private func fill(_ store: KeyValueStore, _ range: Range<Int>) -> (acknowledged: Int, error: EngineError?) {
        for index in range {
            do throws(EngineError) {
                try store.put(ByteString("k\(index)"), [UInt8](repeating: UInt8(index), count: 100))
                try store.sync()
            } catch {
                return (index, error)
            }
        }
        return (range.upperBound, nil)
    }

    /// A file that cannot be created or gets no space holds no records.
    private static let poisoningCalls = calls.filter { $0 != .create && $0 != .preallocate }

    @Test(arguments: poisoningCalls, [0, 1, 3]) func `a failure poisons the writer`(_ call: StorageCall, _ passing: Int)
        throws
    {
        let memory = MemoryStorage()
        let failing = FailingCalls(call, errno: ENOSPC)
        let store = try open(InterposedStorage(memory, failing))
        #expect(fill(store, 0..<10).acknowledged == 10)
        failing.arm(passing: passing, failing: 1)
        let (acknowledged, failure) = fill(store, 10..<200)
        let error = try #require(failure)
        guard case .poisoned(let cause) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(cause.errno == ENOSPC && acknowledged < 200)
        // The call failed only once, but the store stays poisoned.
        #expect(throws: error) { try store.put("later", []) }
        #expect(throws: error) { try store.delete("later") }
        #expect(throws: error) { try store.sync() }
        for index in 0..<acknowledged { #expect(try store.get(ByteString("k\(index)")) != nil) }
        #expect(throws: error) { try store.close() }
        // The directory is free again, and the store writable after a reopen.
        let again = try open(memory)
        let found = try again.dump()
        for index in 0..<acknowledged { #expect(found[ByteString("k\(index)")] != nil) }
        try again.put("later", [1])
        try again.sync()
        #expect(try reopen(memory).get("later") == [1])
    }

    @Test(arguments: [StorageCall.create, .preallocate], [0, 1])
    func `a rotation without room changes nothing: the log can be closed, and goes on when there is room`(
        _ call: StorageCall, _ passing: Int
    ) throws {
        let memory = MemoryStorage()
        let failing = FailingCalls(call, errno: ENOSPC)
        let store = try open(InterposedStorage(memory, failing))
        failing.arm(passing: passing, failing: 2)
        let (acknowledged, failure) = fill(store, 0..<200)
        guard case .storage(let cause)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(cause.errno == ENOSPC && acknowledged < 200)
        let segments = memory.list()
        #expect(throws: EngineError.self, "the second time, too") {
            try store.put("refused", [UInt8](repeating: 9, count: 100))
        }
        #expect(memory.list() == segments, "nothing is left of the segment that could not be made")
        try store.put("later", [1])
        try store.close()
        let again = try open(memory)
        #expect(again.recoveryReport.ending == .closed)
        #expect(try again.dump().count == acknowledged + 1 && again.get("later") == [1])
    }

    @Test func `a log that was closed after a rotation without room is whole`() throws {
        let memory = MemoryStorage()
        let failing = FailingCalls(.create, errno: EACCES)
        let store = try open(InterposedStorage(memory, failing))
        failing.arm()
        #expect(fill(store, 0..<200).error != nil)
        try store.close()
        let again = try open(memory)
        #expect(again.recoveryReport.ending == .closed, "\(again.recoveryReport)")
    }

    @Test func `a failed sync is reported to every waiting thread`() throws {
        let failing = FailingCalls(.sync)
        let store = try open(InterposedStorage(MemoryStorage(), failing), KeyValueOptions())
        failing.arm()
        let errors = Guarded<[EngineError]>([])
        try inParallel(8) { index in
            do throws(EngineError) {
                try store.put(ByteString("k\(index)"), [1])
                try store.sync()
            } catch {
                errors.withLock { $0.append(error) }
            }
        }
        let all = errors.withLock { $0 }
        #expect(all.count == 8 && Set(all).count == 1)
        #expect(failing.count(.sync) == 2, "one sync at the beginning, one that failed, and no other try")
    }

    /// After a failed sync the kernel returns bytes that are not on disk and that no later sync writes. A store that is opened
    /// again must not rely on them.
    @Test(arguments: Profile.allCases) func `data shown by a reopen after a failed sync is durable`(_ profile: Profile)
        throws
    {
        let run = try RecordedRun.failingSync()
        var recovered = 0
        let findings = try run.explore(profile, seeds: 0..<4, recovered: &recovered)
        #expect(findings.isEmpty, "\(findings.prefix(3))")
    }

    @Test func `a failed open unlocks the directory and does not affect the next one`() throws {
        let memory = MemoryStorage()
        let store = try open(memory)
        try store.put("a", [1])
        try store.close()
        for call in Self.calls where call != .create && call != .truncate {
            let failing = FailingCalls(call)
            failing.arm()
            #expect(throws: EngineError.self) { try open(InterposedStorage(memory, failing)) }
            #expect(try reopen(memory).dump() == ["a": [1]])
        }
        #expect(try open(memory).dump() == ["a": [1]])
    }

    @Test func `a read with a wrong checksum is refused`() throws {
        let memory = MemoryStorage()
        let store = try open(memory)
        try store.put("a", [1, 2, 3])
        try store.sync()
        let name: ByteString = "0000-0000000001.log"
        let place = UInt64(SegmentHeader.sizeBytes + Frame.headerSizeBytes + 2)
        try memory.open(name).write([9], at: place)
        #expect(throws: EngineError.self) { try store.get("a") }
        try memory.open(name).write([2], at: place)
        #expect(try store.get("a") == [1, 2, 3])
    }
}
