import Bytes
import Glibc
import Platform

/// A directory of a POSIX filesystem.
///
/// Files are opened relative to one directory descriptor, so renaming or replacing the directory's path has no effect.
/// Symbolic links are not followed. New files have mode 0600, masked by the umask.
public final class PosixStorage: Storage {
    private let directory: Descriptor
    /// The path as given, only for messages.
    public let path: ByteString

    /// Opens an existing directory.
    public init(directory path: ByteString) throws(StorageError) {
        try Self.checkPath(path)
        self.path = path
        directory = Descriptor(
            adopting: try retryingInterrupts(.openDirectory, path) {
                path.withCString { Glibc.open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            })
    }

    /// Creates the directory and every missing parent (mode 0700, masked by the umask) if needed, then opens it. Each
    /// new name is durable when this returns.
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
        let descriptor = try Descriptor(opening: name, in: directory, flags: flags, call: .open)
        try descriptor.requireRegularFile(name)
        return PosixFile(descriptor, name: name)
    }

    public func create(_ name: ByteString) throws(StorageError) -> any StorageFile {
        let flags = O_RDWR | O_CREAT | O_EXCL
        let file = try Descriptor(opening: name, in: directory, flags: flags, mode: 0o600, call: .create)
        giveToOwner(file)
        return PosixFile(file, name: name)
    }

    /// Gives a file that root creates to the directory's owner, so that the store stays usable for its user.
    private func giveToOwner(_ file: borrowing Descriptor) {
        guard geteuid() == 0 else { return }
        var (own, parent) = (stat(), stat())
        guard fstat(file.rawValue, &own) == 0, fstat(directory.rawValue, &parent) == 0,
            own.st_uid != parent.st_uid || own.st_gid != parent.st_gid
        else { return }
        // Best effort: on failure the file stays root's, as it would without this call.
        _ = fchown(file.rawValue, parent.st_uid, parent.st_gid)
    }

    public func list() throws(StorageError) -> [ByteString] {
        // A new descriptor: a duplicate would share its position with concurrent listings.
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
        // flock(2) belongs to the open file description, so a second lock in this process also conflicts, as it should.
        let own = Descriptor(
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

/// A flock(2) lock. The kernel releases it when the descriptor is closed or the process ends.
private final class PosixDirectoryLock: DirectoryLock {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    func release() { _ = flock(descriptor.rawValue, LOCK_UN) }
}
