import Bytes
import Glibc
import Platform

/// A directory in memory, for tests, exploration, and stores that need not outlive the process.
///
/// It keeps every write. The model, not this type, decides what a crash would lose.
public final class MemoryStorage: Storage {
    private struct DirectoryState {
        var files: [ByteString: MemoryFile] = [:]
        var isLocked = false
    }

    private let state: Guarded<DirectoryState>
    /// Notes the reads of names, if somebody asks for them.
    private let recorder: ReadRecorder?

    /// A directory with these files. Throws `StorageError.invalidName`.
    public init(contents: [ByteString: [UInt8]] = [:]) throws(StorageError) {
        var state = DirectoryState()
        for (name, bytes) in contents {
            try name.checkedAsFileName()
            state.files[name] = MemoryFile(name: name, contents: bytes)
        }
        self.state = Guarded(state)
        recorder = nil
    }

    /// A directory of these files. Throws `StorageError.invalidName`.
    init(_ files: [ByteString: MemoryFile], noting recorder: ReadRecorder?) throws(StorageError) {
        for name in files.keys { try name.checkedAsFileName() }
        state = Guarded(DirectoryState(files: files))
        self.recorder = recorder
    }

    /// An empty directory.
    public init() {
        state = Guarded(DirectoryState())
        recorder = nil
    }

    /// A copy of every file. Each copy is consistent; the copies may be from different moments.
    public func contents() throws(StorageError) -> [ByteString: [UInt8]] {
        var copies: [ByteString: [UInt8]] = [:]
        recorder?.note(.listing(""))
        for (name, file) in state.withLock({ $0.files }) { copies[name] = try file.contents() }
        return copies
    }

    /// All files, sorted by name.
    func files() -> [(key: ByteString, value: MemoryFile)] {
        state.withLock { $0.files }.sorted { $0.key < $1.key }
    }

    public func open(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try name.checkedAsFileName()
        recorder?.note(.name(name))
        guard let file = state.withLock({ $0.files[name] }) else {
            throw .failed(.open, name: name, errno: ENOENT)
        }
        return file
    }

    public func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile { try open(name) }

    public func create(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try name.checkedAsFileName()
        recorder?.note(.name(name))
        return try state.withLock { (state) throws(StorageError) in
            guard state.files[name] == nil else { throw .failed(.create, name: name, errno: EEXIST) }
            let file = MemoryFile(name: name)
            state.files[name] = file
            return file
        }
    }

    public func list() -> [ByteString] {
        recorder?.note(.listing(""))
        return state.withLock { Array($0.files.keys) }
    }

    public func rename(_ from: ByteString, to: ByteString) throws(StorageError) {
        try from.checkedAsFileName()
        try to.checkedAsFileName()
        recorder?.note(.name(from))
        try state.withLock { (state) throws(StorageError) in
            guard let file = state.files[from] else { throw .failed(.rename, name: from, errno: ENOENT) }
            if from == to { return }
            state.files[from] = nil
            state.files[to] = file
        }
    }

    public func unlink(_ name: ByteString) throws(StorageError) {
        try name.checkedAsFileName()
        recorder?.note(.name(name))
        try state.withLock { (state) throws(StorageError) in
            guard state.files.removeValue(forKey: name) != nil else {
                throw .failed(.unlink, name: name, errno: ENOENT)
            }
        }
    }

    public func syncDirectory() {}

    public func lockDirectory() throws(StorageError) -> any DirectoryLock {
        try state.withLock { (state) throws(StorageError) in
            if state.isLocked { throw .directoryLocked("memory") }
            state.isLocked = true
        }
        return MemoryDirectoryLock(storage: self)
    }

    fileprivate func unlock() { state.withLock { $0.isLocked = false } }
}

private final class MemoryDirectoryLock: DirectoryLock {
    private let holder: Guarded<MemoryStorage?>

    init(storage: MemoryStorage) { holder = Guarded(storage) }
    deinit { release() }

    func release() {
        holder.withLock { storage in
            storage?.unlock()
            storage = nil
        }
    }
}
