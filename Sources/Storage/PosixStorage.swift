import Bytes
import Glibc

/// A directory of a POSIX filesystem.
///
/// Every file is opened relative to one directory descriptor, so that renaming or replacing the path underneath changes
/// nothing, and never through a symbolic link. Files are created with mode 0600 less the umask.
public final class PosixStorage: Storage {
    private let directory: PosixDescriptor
    /// The path as it was given; for messages alone.
    public let path: ByteString

    /// Opens an existing directory.
    public init(directory path: ByteString) throws(StorageError) {
        try Self.checkPath(path)
        self.path = path
        directory = PosixDescriptor(
            adopting: try retryingInterrupts(.openDirectory, path) {
                path.withCString { Glibc.open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            })
    }

    /// Opens a directory, and creates it (mode 0700 less the umask) and every missing parent first. Each new name is
    /// durable when this returns.
    public convenience init(creatingDirectory path: ByteString) throws(StorageError) {
        try Self.checkPath(path)
        do throws(OutputError) { _ = try NewDirectories(making: path) } catch {
            throw .failed(.openDirectory, name: error.path, errno: error.errno)
        }
        try self.init(directory: path)
    }

    public func open(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try regularFile(name, O_RDWR)
    }

    public func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try regularFile(name, O_RDONLY)
    }

    private func regularFile(_ name: ByteString, _ flags: Int32) throws(StorageError) -> PosixFile {
        let descriptor = try PosixDescriptor(opening: name, in: directory, flags: flags, call: .open)
        try descriptor.requireRegularFile(name)
        return PosixFile(descriptor, name: name)
    }

    public func create(_ name: ByteString) throws(StorageError) -> any StorageFile {
        let flags = O_RDWR | O_CREAT | O_EXCL
        let file = try PosixDescriptor(opening: name, in: directory, flags: flags, mode: 0o600, call: .create)
        giveToOwner(file)
        return PosixFile(file, name: name)
    }

    /// A store of another user stays that user's when root writes to it: a new file belongs to whom the directory does.
    private func giveToOwner(_ file: borrowing PosixDescriptor) {
        guard geteuid() == 0 else { return }
        var (own, parent) = (stat(), stat())
        guard fstat(file.rawValue, &own) == 0, fstat(directory.rawValue, &parent) == 0,
            own.st_uid != parent.st_uid || own.st_gid != parent.st_gid
        else { return }
        // Where it cannot be given away it is as useful as before.
        _ = fchown(file.rawValue, parent.st_uid, parent.st_gid)
    }

    public func list() throws(StorageError) -> [ByteString] {
        // A descriptor of its own: a duplicate would share its position with every other listing.
        let own = try retryingInterrupts(.list, path) {
            openat(directory.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard let stream = fdopendir(own) else {
            let reason = errno
            close(own)
            throw .failed(.list, name: path, errno: reason)
        }
        defer { closedir(stream) }
        var names: [ByteString] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw .failed(.list, name: path, errno: errno) }
                return names
            }
            let start = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let name = ByteString(
                UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
            if name != "." && name != ".." { names.append(name) }
        }
    }

    public func rename(_ from: ByteString, to: ByteString) throws(StorageError) {
        try from.checkedAsFileName()
        try to.checkedAsFileName()
        _ = try retryingInterrupts(.rename, from) {
            from.withCString { from in
                to.withCString { renameat(directory.rawValue, from, directory.rawValue, $0) }
            }
        }
    }

    public func unlink(_ name: ByteString) throws(StorageError) {
        try name.checkedAsFileName()
        _ = try retryingInterrupts(.unlink, name) { name.withCString { unlinkat(directory.rawValue, $0, 0) } }
    }

    public func syncDirectory() throws(StorageError) {
        _ = try retryingInterrupts(.syncDirectory, path) { fsync(directory.rawValue) }
    }

    public func lockDirectory() throws(StorageError) -> any DirectoryLock {
        // flock belongs to the open file description: a second one in this process is a second owner, as it should be.
        let own = PosixDescriptor(
            adopting: try retryingInterrupts(.lockDirectory, path) {
                openat(directory.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            })
        do throws(StorageError) {
            _ = try retryingInterrupts(.lockDirectory, path) { flock(own.rawValue, LOCK_EX | LOCK_NB) }
        } catch  where error.errno == EWOULDBLOCK {
            throw .directoryLocked(path)
        }
        return PosixDirectoryLock(own)
    }

    private static func checkPath(_ path: ByteString) throws(StorageError) {
        if path.isEmpty || path.bytes.contains(0) { throw .invalidName(path) }
    }
}

/// A lock that lasts as long as one open file description: the kernel drops it when the process ends.
private final class PosixDirectoryLock: DirectoryLock {
    private let descriptor: PosixDescriptor

    init(_ descriptor: consuming PosixDescriptor) { self.descriptor = descriptor }

    func release() { _ = flock(descriptor.rawValue, LOCK_UN) }
}
