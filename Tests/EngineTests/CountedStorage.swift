import Bytes
import Platform
import Storage

/// A storage in memory that counts the files which are open for reading, and how much is read at once.
struct CountedStorage: Storage {
    let wrapped: MemoryStorage
    let openCount = Guarded(0)
    let largestRead = Guarded(0)
    let readBytes = Guarded(0)

    init(_ wrapped: MemoryStorage = MemoryStorage()) { self.wrapped = wrapped }

    func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        CountedFile(try wrapped.openForReading(name), self)
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
    private let storage: CountedStorage

    init(_ wrapped: any StorageFile, _ storage: CountedStorage) {
        self.wrapped = wrapped
        self.storage = storage
        storage.openCount.withLock { $0 += 1 }
    }

    deinit { storage.openCount.withLock { $0 -= 1 } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        storage.largestRead.withLock { $0 = max($0, buffer.count) }
        storage.readBytes.withLock { $0 += buffer.count }
        return try wrapped.read(into: buffer, at: offsetBytes)
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
