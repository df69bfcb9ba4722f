import Bytes

/// Intercepts every call of a storage that changes something or makes it durable.
package protocol StorageInterposer: Sendable {
    /// Handles a call on the file or directory `name`. `proceed` performs the call; the interposer may call it now,
    /// later, repeatedly or never. Throwing fails the call. Called on the caller's thread, concurrently.
    func interpose(
        _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
    ) throws(StorageError)
}

/// Wraps any storage and passes writes, truncations, preallocations, renames, unlinks and syncs to an interposer.
/// Creating a file always proceeds; the interposer is called first, with a `proceed` that does nothing.
///
/// For planted bugs and tests. For faults by rule, with a model of failed syncs, use `FaultyStorage`.
package struct InterposedStorage: Storage {
    private let wrapped: any Storage
    private let interposer: any StorageInterposer

    package init(_ wrapped: any Storage, _ interposer: any StorageInterposer) {
        self.wrapped = wrapped
        self.interposer = interposer
    }

    package func open(_ name: ByteString) throws(StorageError) -> any StorageFile {
        InterposedFile(try wrapped.open(name), name, interposer)
    }

    package func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try wrapped.openForReading(name)
    }

    package func create(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try interposer.interpose(.create, name) {}
        return InterposedFile(try wrapped.create(name), name, interposer)
    }

    package func list() throws(StorageError) -> [ByteString] { try wrapped.list() }

    package func rename(_ from: ByteString, to: ByteString) throws(StorageError) {
        try interposer.interpose(.rename, from) { [wrapped] () throws(StorageError) in
            try wrapped.rename(from, to: to)
        }
    }

    package func unlink(_ name: ByteString) throws(StorageError) {
        try interposer.interpose(.unlink, name) { [wrapped] () throws(StorageError) in try wrapped.unlink(name) }
    }

    package func syncDirectory() throws(StorageError) {
        try interposer.interpose(.syncDirectory, ".") { [wrapped] () throws(StorageError) in
            try wrapped.syncDirectory()
        }
    }

    package func lockDirectory() throws(StorageError) -> any DirectoryLock { try wrapped.lockDirectory() }
}

private final class InterposedFile: StorageFile {
    private let wrapped: any StorageFile
    private let name: ByteString
    private let interposer: any StorageInterposer

    init(_ wrapped: any StorageFile, _ name: ByteString, _ interposer: any StorageInterposer) {
        self.wrapped = wrapped
        self.name = name
        self.interposer = interposer
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        try wrapped.read(into: buffer, at: offsetBytes)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        // `proceed` may run after this returns, when the caller's buffer is invalid: it needs a copy.
        let copy = Array(bytes)
        try interposer.interpose(.write, name) { [wrapped] () throws(StorageError) in
            try wrapped.write(copy, at: offsetBytes)
        }
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        try interposer.interpose(.truncate, name) { [wrapped] () throws(StorageError) in
            try wrapped.truncate(to: sizeBytes)
        }
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        try interposer.interpose(.preallocate, name) { [wrapped] () throws(StorageError) in
            try wrapped.preallocate(at: offsetBytes, countBytes: countBytes)
        }
    }

    func sync() throws(StorageError) {
        try interposer.interpose(.sync, name) { [wrapped] () throws(StorageError) in try wrapped.sync() }
    }

    func length() throws(StorageError) -> UInt64 { try wrapped.length() }
}
