import Bytes
import Platform
import Storage

/// A storage to read, whose files grow from one state to another at the `turn`-th read: what a reader sees beside a writer.
struct GrowingStorage: Storage {
    let before: MemoryStorage
    let after: MemoryStorage
    let turn: Int
    let readCount = Guarded(0)

    var current: MemoryStorage { readCount.withLock { $0 } < turn ? before : after }

    func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        GrowingFile(name: name, storage: self)
    }
    func list() -> [ByteString] { current.list() }
    func open(_ name: ByteString) throws(StorageError) -> any StorageFile { throw refusal(name) }
    func create(_ name: ByteString) throws(StorageError) -> any StorageFile { throw refusal(name) }
    func rename(_ from: ByteString, to: ByteString) throws(StorageError) { throw refusal(from) }
    func unlink(_ name: ByteString) throws(StorageError) { throw refusal(name) }
    func syncDirectory() throws(StorageError) { throw refusal("") }
    func lockDirectory() throws(StorageError) -> any DirectoryLock { throw refusal("") }
    fileprivate func refusal(_ name: ByteString) -> StorageError { .failed(.open, name: name, errno: 30) }
}

private final class GrowingFile: StorageFile {
    private let name: ByteString
    private let storage: GrowingStorage

    init(name: ByteString, storage: GrowingStorage) {
        self.name = name
        self.storage = storage
    }

    func length() throws(StorageError) -> UInt64 { try storage.current.open(name).length() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        storage.readCount.withLock { $0 += 1 }
        return try storage.current.open(name).read(into: buffer, at: offsetBytes)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        throw storage.refusal(name)
    }
    func truncate(to sizeBytes: UInt64) throws(StorageError) { throw storage.refusal(name) }
    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) { throw storage.refusal(name) }
    func sync() throws(StorageError) { throw storage.refusal(name) }
}
