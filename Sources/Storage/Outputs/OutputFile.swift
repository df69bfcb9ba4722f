import Bytes
import CPlatform
import Glibc
import Platform

/// A file that a user keeps. All reports, exports, archives, cases, results and logs are written through this type.
///
/// Invariants:
/// - The old file stays intact until `commit`, which replaces it atomically (rename) and keeps its permissions and
///   owner. Until then the new file has no name, so a killed process leaves nothing behind. (Without O_TMPFILE it has a
///   name that begins with `.faultline-`.)
/// - Only regular files are replaced. Devices, FIFOs, sockets and open descriptors (`-`, `/dev/stdout`, `/dev/fd/3`)
///   are written directly. Symbolic links are followed and kept.
/// - Without `commit` an output leaves nothing behind, except bytes that were written directly.
/// - Opening fails early: it throws when the path cannot be written.
///
/// Not handled: hard links (other names of a replaced file keep the old content), access control lists, and directories
/// that are renamed meanwhile (the file goes to the directory that was opened).
///
/// Not thread safe.
public final class OutputFile {
    public enum Mode: Hashable, Sendable {
        /// Replaces an existing file.
        case replace
        /// Fails when the path exists.
        case create
        /// Appends to an existing file, all bytes or none.
        case append
    }

    /// Where the bytes go, and what `commit` has to do.
    enum Target {
        /// Written directly; nothing to do.
        case through
        /// Appended to a file.
        case appended(OutputName, isNew: Bool)
        /// A new file, which gets its name at `commit`.
        case named(OutputName, temporary: ByteString?, replacing: stat?)
    }

    /// The path as given, for messages.
    public let path: ByteString
    /// Whether it is the same file, pipe or device as standard output.
    public let isStandardOutput: Bool
    let mode: Mode
    let isDurable: Bool
    let file: Descriptor
    let target: Target
    /// The length of the file before the first append.
    private var lengthBefore: off_t?
    private var isCommitted = false

    /// Opens the output. Does not change an existing file. Creates a missing file only for `append`.
    ///
    /// - Parameters:
    ///   - permissions: of a new file, masked by the umask. A replaced file keeps its permissions.
    ///   - isDurable: `commit` syncs the bytes and the name.
    ///   - followsLinks: if false, a symbolic link is an error.
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

    /// Appends bytes. A closed pipe is an error (EPIPE), not a signal.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(OutputError) {
        if mode == .append, lengthBefore == nil { lengthBefore = lseek(file.rawValue, 0, SEEK_END) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = faultline_write_no_signal(file.rawValue, part.baseAddress, part.count)
            if count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) {
                var waiting = pollfd(fd: file.rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
                continue
            }
            // A device that accepts no bytes without an error would make this loop endless.
            guard count > 0 else { throw OutputError(path, .system(errno: count < 0 ? Int32(-count) : EIO)) }
            rest = rest.dropFirst(count)
        }
    }

    /// Appends bytes.
    public func write(_ bytes: [UInt8]) throws(OutputError) {
        let result: Result<Void, OutputError> = bytes.withUnsafeBytes { buffer in
            Result { () throws(OutputError) in try write(buffer) }
        }
        try result.get()
    }

    /// Publishes the output: the file gets its name. Do not write afterwards.
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

    // MARK: Steps of commit

    private func sync() throws(OutputError) {
        guard isDurable else { return }
        try check(faultline_fsync(file.rawValue))
    }

    /// Gives the new file the owner and the permissions of the old one, as far as this process may.
    private func keepAttributes(of replaced: stat?) throws(OutputError) {
        guard let replaced else { return }
        var mode = replaced.st_mode & 0o7777
        if fchown(file.rawValue, replaced.st_uid, replaced.st_gid) != 0 {
            // If the owner cannot be kept, drop set-ID bits, and group permissions if the group cannot be kept either.
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

    /// Renames the temporary file, unless something other than a regular file has appeared meanwhile.
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
