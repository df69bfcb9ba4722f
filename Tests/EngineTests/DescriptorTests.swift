import Bytes
import Engine
import Storage
import Testing

/// How many files a store keeps open.
@Suite struct DescriptorTests {
    /// A storage in memory that counts the files which are open for reading.
    private struct CountedStorage: Storage {
        let wrapped = MemoryStorage()
        let openCount = Guarded(0)

        func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
            CountedFile(try wrapped.openForReading(name), openCount)
        }
        func open(_ name: ByteString) throws(StorageError) -> any StorageFile { try wrapped.open(name) }
        func create(_ name: ByteString) throws(StorageError) -> any StorageFile { try wrapped.create(name) }
        func list() -> [ByteString] { wrapped.list() }
        func rename(_ from: ByteString, to: ByteString) throws(StorageError) { try wrapped.rename(from, to: to) }
        func unlink(_ name: ByteString) throws(StorageError) { try wrapped.unlink(name) }
        func syncDirectory() {}
        func lockDirectory() throws(StorageError) -> any DirectoryLock { try wrapped.lockDirectory() }
    }

    private final class CountedFile: StorageFile {
        private let wrapped: any StorageFile
        private let openCount: Guarded<Int>

        init(_ wrapped: any StorageFile, _ openCount: Guarded<Int>) {
            self.wrapped = wrapped
            self.openCount = openCount
            openCount.withLock { $0 += 1 }
        }

        deinit { openCount.withLock { $0 -= 1 } }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
            try wrapped.read(into: buffer, at: offsetBytes)
        }
        func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
            try wrapped.write(bytes, at: offsetBytes)
        }
        func truncate(to sizeBytes: UInt64) throws(StorageError) { try wrapped.truncate(to: sizeBytes) }
        func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
            try wrapped.preallocate(at: offsetBytes, countBytes: countBytes)
        }
        func sync() throws(StorageError) { try wrapped.sync() }
        func length() throws(StorageError) -> UInt64 { try wrapped.length() }
    }

    @Test func aStoreOfManySegmentsKeepsFewOfThemOpen() throws {
        let storage = CountedStorage()
        let options = KeyValueOptions(log: LogOptions(segmentSizeBytes: 4096, zeroAheadBytes: 0))
        let store = try KeyValueStore.open(storage: storage, options: options)
        // A segment each, and more than a hundred of them.
        let value = [UInt8](repeating: 7, count: 3000)
        for index in 0..<150 { try store.put(ByteString("k\(index)"), value + [UInt8(index)]) }
        #expect(storage.list().count >= 150)
        for round in 0..<2 {
            for index in 0..<150 {
                let key = round == 0 ? index : 149 - index
                #expect(try store.get(ByteString("k\(key)")) == value + [UInt8(key)])
                #expect(storage.openCount.withLock { $0 } <= 64)
            }
            #expect(storage.openCount.withLock { $0 } > 32, "it keeps those that it will need")
        }
        try store.compact()
        #expect(storage.openCount.withLock { $0 } <= 64, "segments that were removed are closed")
        for index in 0..<150 { #expect(try store.get(ByteString("k\(index)")) == value + [UInt8(index)]) }
        try store.close()
        #expect(storage.openCount.withLock { $0 } == 0)
    }
}
