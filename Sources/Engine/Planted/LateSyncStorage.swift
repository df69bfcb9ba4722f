import Bytes
import Storage

/// Plants `ack-before-sync`: a sync of a file returns at once, and is done before the file changes next.
struct LateSyncStorage: Storage {
    let wrapped: any Storage

    func open(_ name: ByteString) throws(StorageError) -> any StorageFile { LateSyncFile(try wrapped.open(name)) }
    func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try wrapped.openForReading(name)
    }
    func create(_ name: ByteString) throws(StorageError) -> any StorageFile { LateSyncFile(try wrapped.create(name)) }
    func list() throws(StorageError) -> [ByteString] { try wrapped.list() }
    func rename(_ from: ByteString, to: ByteString) throws(StorageError) { try wrapped.rename(from, to: to) }
    func unlink(_ name: ByteString) throws(StorageError) { try wrapped.unlink(name) }
    func syncDirectory() throws(StorageError) { try wrapped.syncDirectory() }
    func lockDirectory() throws(StorageError) -> any DirectoryLock { try wrapped.lockDirectory() }
}

private final class LateSyncFile: StorageFile {
    private let wrapped: any StorageFile
    private let isSyncOwed = Guarded(false)

    init(_ wrapped: any StorageFile) { self.wrapped = wrapped }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        try wrapped.read(into: buffer, at: offsetBytes)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        try payDebt()
        try wrapped.write(bytes, at: offsetBytes)
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        try payDebt()
        try wrapped.truncate(to: sizeBytes)
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        try payDebt()
        try wrapped.preallocate(at: offsetBytes, countBytes: countBytes)
    }

    func sync() { isSyncOwed.withLock { $0 = true } }

    func length() throws(StorageError) -> UInt64 { try wrapped.length() }

    private func payDebt() throws(StorageError) {
        let isOwed = isSyncOwed.withLock { owed in
            defer { owed = false }
            return owed
        }
        if isOwed { try wrapped.sync() }
    }
}

extension PlantedBug {
    /// The storage with the part of the bug that lives there; most bugs live in the engine.
    func wrapping(_ storage: any Storage) -> any Storage {
        switch self {
        case .ackBeforeSync: LateSyncStorage(wrapped: storage)
        case .checksumUnchecked: storage
        }
    }
}
