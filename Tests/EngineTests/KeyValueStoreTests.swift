import Bytes
import Engine
import Storage
import Testing

@Suite struct KeyValueStoreTests {
    @Test func `a put is there after a reopen`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        try store.put("a", bytes("1"))
        try store.put("b", bytes("2"))
        try store.put("a", bytes("3"))
        try store.delete("b")
        try store.put("", [])
        let expected: [ByteString: [UInt8]] = ["a": bytes("3"), "": []]
        #expect(try store.dump() == expected)
        #expect(store.count == 2 && store.contains("a") && !store.contains("b"))
        #expect(try store.get("b") == nil)
        try store.close()
        let again = try KeyValueStore.open(storage: storage, options: small)
        #expect(try again.dump() == expected)
        #expect(again.recoveryReport.recordsReplayed == 5)
        #expect(again.recoveryReport.segmentsWithTruncatedTail == 0)
        #expect(again.recoveryReport.lastLSN == LSN(5))
    }

    @Test func `synced data is there without a close`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        try store.put("a", bytes("1"))
        try store.sync()
        try store.put("b", bytes("2"))
        let again = try reopen(storage)
        #expect(try again.dump() == ["a": bytes("1")], "an append that nobody synced was never written")
    }

    /// Whoever reads the log learns of every delete, also of one that found nothing.
    @Test func `a delete of an absent key is written`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        #expect(try store.delete("absent") == LSN(1))
        var batch = WriteBatch()
        batch.delete("absent too")
        try store.commit(batch)
        try store.close()
        var reader = try LogReader.open(storage: storage)
        var found: [String] = []
        while let record = try reader.next() { found.append("\(record.type) \(record.key)") }
        #expect(found == ["delete absent", "batchDelete absent too", "batchCommit "])
    }

    @Test func `a second store in the same directory is refused`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        #expect(throws: EngineError.storage(.directoryLocked("memory"))) {
            _ = try KeyValueStore.open(storage: storage, options: small)
        }
        try store.close()
        try KeyValueStore.open(storage: storage, options: small).close()
    }

    @Test func `a closed store throws closed`() throws {
        let store = try KeyValueStore.open(storage: MemoryStorage(), options: small)
        try store.put("a", [])
        try store.close()
        #expect(throws: EngineError.closed) { try store.put("a", []) }
        #expect(throws: EngineError.closed) { try store.delete("a") }
        #expect(throws: EngineError.closed) { try store.sync() }
        #expect(throws: EngineError.closed) { try store.get("a") }
        #expect(throws: EngineError.closed) { try store.close() }
    }

    @Test func `too large data is refused before anything is written`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        let before = try storage.contents()
        let largeKey = ByteString([UInt8](repeating: 1, count: LogLimits.keySizeBytes + 1))
        #expect(throws: EngineError.keyTooLarge(sizeBytes: largeKey.count)) { try store.put(largeKey, []) }
        let largeValue = [UInt8](repeating: 1, count: LogLimits.payloadSizeBytes + 1)
        #expect(throws: EngineError.payloadTooLarge(sizeBytes: largeValue.count)) { try store.put("a", largeValue) }
        var batch = WriteBatch()
        batch.put("b", [1])
        batch.put("a", largeValue)
        #expect(throws: EngineError.payloadTooLarge(sizeBytes: largeValue.count)) { try store.commit(batch) }
        try store.sync()
        #expect(try storage.contents() == before)
        #expect(store.count == 0)
    }

    @Test(arguments: [0, 1, 500, 4000, 5000, 100_000])
    func `values of every size are read back`(_ sizeBytes: Int) throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        for round in 0..<5 {
            try store.put(ByteString("k\(round)"), [UInt8](repeating: UInt8(round + 1), count: sizeBytes))
        }
        let expected = try store.dump()
        #expect(expected.values.allSatisfy { $0.count == sizeBytes } && expected.count == 5)
        try store.sync()
        #expect(try reopen(storage).dump() == expected)
    }

    @Test func `a batch is there as a whole`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        try store.put("gone", [1])
        var batch = WriteBatch()
        batch.put("a", [1])
        batch.put("a", [2])
        batch.delete("gone")
        batch.put("b", [3])
        try store.sync(through: try store.commit(batch))
        let expected: [ByteString: [UInt8]] = ["a": [2], "b": [3]]
        #expect(try store.dump() == expected)
        let again = try reopen(storage)
        #expect(try again.dump() == expected)
        #expect(again.recoveryReport.lastLSN == LSN(6))
    }

    @Test func `a batch larger than a segment is there as a whole`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        try store.put("first", [1])
        var batch = WriteBatch()
        for index in 0..<300 { batch.put(ByteString("k\(index)"), [UInt8](repeating: UInt8(index & 255), count: 40)) }
        try store.commit(batch)
        try store.put("last", [1])
        try store.sync()
        let again = try reopen(storage)
        #expect(try again.dump() == store.dump())
        #expect(again.count == 302)
    }

    @Test func `segments have consecutive numbers`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        for index in 0..<500 { try store.put(ByteString("k\(index % 50)"), bytes("value \(index)")) }
        try store.sync()
        #expect(storage.list().count > 4)
        let again = try reopen(storage)
        #expect(try again.dump() == store.dump())
        #expect(again.recoveryReport.filesScanned == storage.list().count)
        #expect(again.recoveryReport.recordsReplayed == 500)
    }

    @Test func `LSNs continue after a reopen`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        #expect(try store.put("a", [1]) == LSN(1))
        try store.close()
        let again = try KeyValueStore.open(storage: storage, options: small)
        #expect(try again.put("a", [2]) == LSN(2))
        try again.sync()
        #expect(try reopen(storage).dump() == ["a": [2]])
    }

    @Test func `foreign files are not touched`() throws {
        let storage = try MemoryStorage(contents: ["notes.txt": [1], "0000-1.log": [2], "0001-0000000001.log": [3]])
        let store = try KeyValueStore.open(storage: storage, options: small)
        try store.put("a", [1])
        try store.close()
        for (name, content) in ["notes.txt": [1], "0000-1.log": [2], "0001-0000000001.log": [3]]
            as [ByteString: [UInt8]]
        {
            #expect(try storage.contents()[name] == content)
        }
    }

    @Test func `the store works on a filesystem`() throws {
        let directory = try TemporaryDirectory()
        let options = KeyValueOptions()
        let store = try KeyValueStore.open(storage: PosixStorage(directory: directory.path), options: options)
        for index in 0..<100 { try store.put(ByteString("k\(index)"), bytes("\(index)")) }
        try store.sync()
        let expected = try store.dump()
        #expect(expected.count == 100)
        #expect(throws: EngineError.storage(.directoryLocked(directory.path))) {
            _ = try KeyValueStore.open(storage: PosixStorage(directory: directory.path), options: options)
        }
        try store.close()
        let again = try KeyValueStore.open(storage: PosixStorage(directory: directory.path), options: options)
        #expect(try again.dump() == expected)
        try again.close()
    }
}
