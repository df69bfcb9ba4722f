import Bytes
import Glibc
import Model
import Storage
import Testing

@Suite struct RecordingStorageTests {
    @Test func `every change and barrier is recorded in order`() throws {
        let recording = try RecordingStorage(MemoryStorage(contents: ["old": [1, 2]]))
        let file = try recording.create("new")
        try file.preallocate(at: 0, countBytes: 8)
        try file.write([7, 8, 9], at: 2)
        recording.record(oracle: [0x7B])
        try file.truncate(to: 4)
        try file.sync()
        try recording.rename("new", to: "old")
        try recording.syncDirectory()
        try recording.unlink("old")
        let (old, new) = (InodeID(2), InodeID(3))
        #expect(recording.base.nodes[.root]?.entries == ["old": old])
        let place = DirectoryEntry(.root, "new")
        let expected: [TraceEvent] = [
            operation(1, .create(new, .regular, Attributes(mode: 0o600), at: place)),
            operation(2, .allocate(new, offsetBytes: 0, countBytes: 8, .extend)),
            operation(3, .write(new, offsetBytes: 2, data: Payload(offsetBytes: 2, countBytes: 3))),
            .oracle(Payload(offsetBytes: 5, countBytes: 1)),
            operation(4, .truncate(new, sizeBytes: 4)),
            .barrierBegan(OperationID(5), .fdatasync(new), process: getpid()),
            .barrierEnded(OperationID(5), errno: 0),
            operation(6, .rename(from: place, to: DirectoryEntry(.root, "old"), .replace)),
            .barrierBegan(OperationID(7), .fsync(.root), process: getpid()),
            .barrierEnded(OperationID(7), errno: 0),
            operation(8, .unlink(DirectoryEntry(.root, "old"))),
        ]
        #expect(recording.events == expected)
        #expect(try recording.payloads.bytes(of: Payload(offsetBytes: 2, countBytes: 3)) == [7, 8, 9])
    }

    private func operation(_ id: UInt64, _ change: Change) -> TraceEvent {
        .operation(Operation(id: OperationID(id), change, process: getpid()))
    }

    @Test func `a failed change is not recorded and a failed barrier has its errno`() throws {
        struct Failing: StorageInterposer {
            func interpose(
                _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
            ) throws(StorageError) {
                if call == .sync || call == .write { throw .failed(call, name: name, errno: EIO) }
                try proceed()
            }
        }
        let recording = try RecordingStorage(InterposedStorage(MemoryStorage(), Failing()))
        let file = try recording.create("a")
        #expect(throws: StorageError.self) { try file.write([1], at: 0) }
        #expect(throws: StorageError.self) { try file.sync() }
        #expect(throws: StorageError.self) { try recording.unlink("b") }
        #expect(recording.events.count == 3)
        #expect(recording.events.last == .barrierEnded(OperationID(2), errno: EIO))
    }

    /// The crash state that keeps everything equals the directory.
    @Test func `the trace gives the stored content`() throws {
        let memory = try MemoryStorage(contents: ["old": [1, 2, 3], "gone": [4]])
        let recording = try RecordingStorage(memory)
        let file = try recording.create("new")
        try file.preallocate(at: 0, countBytes: 5000)
        try file.write([UInt8](repeating: 9, count: 700), at: 4500)
        try recording.open("old").write([8], at: 1)
        try recording.rename("old", to: "renamed")
        try recording.unlink("gone")
        try recording.open("renamed").truncate(to: 2)
        var pending = PendingSet(profile: .posixMin, base: recording.base)
        for event in recording.events { pending.add(event) }
        let tree = pending.tree(pending.survivors(.everything))
        #expect(try MemoryStorage(tree, payloads: recording.payloads).contents() == memory.contents())
    }
}
