import Bytes
import CPlatform
import Glibc

/// A file that somebody keeps: the one way in which reports, exports, archives, cases, results and logs are written.
///
/// Invariants:
/// - What stood under the name stays, whole, until `commit`: a new file takes its place at once (rename), with the
///   permissions and the owner of the old one. Until then the new file has no name, so that nothing is left of it when
///   the process is killed (on filesystems without O_TMPFILE it has a name that begins with `.faultline-`).
/// - What is no file is never replaced: a device, a FIFO, a socket and a descriptor that is open already (`-`,
///   `/dev/stdout`, `/dev/fd/3`) are written through. A symbolic link is followed, and stays.
/// - An output that is dropped without `commit` leaves nothing behind. What was written through has gone.
/// - Whatever can be known before the work is: opening throws where the path cannot be written.
///
/// Not modelled: hard links (the other names of a replaced file keep the old content), access control lists, and
/// directories that are renamed while we write (the one that was opened is written to).
///
/// Not thread safe.
public final class OutputFile {
    public enum Mode: Hashable, Sendable {
        /// What stands under the name is replaced.
        case replace
        /// The name has to be free.
        case create
        /// Bytes are added to what stands there; when not all of them can be, none are.
        case append
    }

    /// What becomes of the bytes.
    enum Target {
        /// They go where they are meant to be.
        case through
        /// They stand at the end of a file.
        case appended(OutputName, isNew: Bool)
        /// They take a name at the end.
        case named(OutputName, temporary: ByteString?, replacing: stat?)
    }

    /// As it was given; for messages.
    public let path: ByteString
    /// Whether the bytes go where standard output goes.
    public let isStandardOutput: Bool
    let mode: Mode
    let isDurable: Bool
    let file: PosixDescriptor
    let target: Target
    /// How long the file was before the first bytes were appended.
    private var lengthBefore: off_t?
    private var isCommitted = false

    /// Opens the output. What stands there is not changed; only a file to append to is made if it is missing.
    ///
    /// - Parameters:
    ///   - permissions: of a new file, less the umask. A file that is replaced keeps its own.
    ///   - isDurable: `commit` returns when the bytes and the name are on disk.
    ///   - followsLinks: false: a symbolic link is an error.
    public init(
        _ path: ByteString, _ mode: Mode, permissions: UInt32 = 0o666, isDurable: Bool = true, followsLinks: Bool = true
    ) throws(OutputError) {
        (self.path, self.mode, self.isDurable) = (path, mode, isDurable)
        let opened = try OpenedOutput(path, mode, mode_t(permissions), mostLinks: followsLinks ? 40 : 0)
        isStandardOutput = opened.isSame(as: STDOUT_FILENO)
        target = opened.target
        file = opened.file
    }

    deinit { if !isCommitted { discard() } }

    /// Adds bytes at the end. A pipe that nobody reads any more is an error (EPIPE), and no signal.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(OutputError) {
        if mode == .append, lengthBefore == nil { lengthBefore = lseek(file.rawValue, 0, SEEK_END) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = faultline_write_no_signal(file.rawValue, part.baseAddress, part.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: file.rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
                continue
            }
            // A device that takes nothing and reports nothing would keep this loop for ever.
            guard count > 0 else { throw OutputError(path, .system(errno: count < 0 ? errno : EIO)) }
            rest = rest.dropFirst(count)
        }
    }

    /// Adds bytes at the end.
    public func write(_ bytes: [UInt8]) throws(OutputError) {
        let result: Result<Void, OutputError> = bytes.withUnsafeBytes { buffer in
            Result { () throws(OutputError) in try write(buffer) }
        }
        try result.get()
    }

    /// Makes it count: the file takes its name. Nothing can be written after it.
    public func commit() throws(OutputError) {
        switch target {
        case .through: break
        case .appended: try sync()
        case .named(let place, let temporary, let replaced):
            try keepAttributes(of: replaced)
            try sync()
            try publish(at: place, temporary)
            if isDurable { try check(place.syncDirectory()) }
        }
        isCommitted = true
    }

    // MARK: Steps

    private func sync() throws(OutputError) {
        guard isDurable else { return }
        try check(faultline_fsync(file.rawValue))
    }

    /// The new file belongs to whom the old one did, if we may give it away, and is open to the same others.
    private func keepAttributes(of replaced: stat?) throws(OutputError) {
        guard let replaced else { return }
        var mode = replaced.st_mode & 0o7777
        if fchown(file.rawValue, replaced.st_uid, replaced.st_gid) != 0 {
            // Rights that were given to another owner are not given to us.
            mode &= 0o1777
            if fchown(file.rawValue, uid_t.max, replaced.st_gid) != 0 { mode &= 0o1707 }
        }
        if fchmod(file.rawValue, mode) != 0 { try check(-errno) }
    }

    private func publish(at place: OutputName, _ temporary: ByteString?) throws(OutputError) {
        if let temporary {
            try publish(temporary, at: place)
            return
        }
        let result = place.name.withCString { faultline_link_path(file.rawValue, place.parent, $0) }
        if result == 0 { return }
        guard result == -EEXIST, mode == .replace else {
            throw OutputError(path, result == -EEXIST ? .exists : .system(errno: -result))
        }
        let name = OutputDescriptor.temporaryName()
        try check(name.withCString { faultline_link_path(file.rawValue, place.parent, $0) })
        do throws(OutputError) { try publish(name, at: place) } catch {
            _ = name.withCString { faultline_unlink_at(place.parent, $0, 0) }
            throw error
        }
    }

    /// Renames, unless something that is no file has come in its way meanwhile.
    private func publish(_ temporary: ByteString, at place: OutputName) throws(OutputError) {
        if let status = place.status, mode == .replace, status.st_mode & S_IFMT != S_IFREG {
            throw OutputError(path, status.st_mode & S_IFMT == S_IFDIR ? .isDirectory : .exists)
        }
        let result = temporary.withCString { temporary in
            place.name.withCString {
                faultline_rename_at(place.parent, temporary, place.parent, $0, mode == .create ? 1 : 0)
            }
        }
        if result == -EEXIST { throw OutputError(path, .exists) }
        if result == -EBUSY { throw OutputError(path, .isMountPoint) }
        try check(result)
    }

    private func discard() {
        switch target {
        case .through: break
        case .appended(let place, let isNew):
            if let lengthBefore, lengthBefore >= 0 { _ = ftruncate(file.rawValue, lengthBefore) }
            if isNew { _ = place.name.withCString { faultline_unlink_at(place.parent, $0, 0) } }
        case .named(let place, let temporary, _):
            _ = temporary?.withCString { faultline_unlink_at(place.parent, $0, 0) }
        }
    }

    private func check(_ result: Int32) throws(OutputError) {
        if result < 0 { throw OutputError(path, .system(errno: -result)) }
    }
}
