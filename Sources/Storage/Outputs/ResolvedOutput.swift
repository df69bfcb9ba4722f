import Bytes
import CPlatform
import Glibc
import Platform

/// An output path after resolving links. Resolving changes nothing and opens only directories.
enum ResolvedOutput {
    /// The name of a regular file, or of nothing yet.
    case name(OutputName, existing: stat?)
    /// A device, FIFO or socket.
    case special(OutputName, type: mode_t)
    /// A descriptor that this process has open.
    case descriptor(Int32)

    /// The kernel's limit of symbolic links.
    static var mostLinks: Int { 40 }

    /// Follows symbolic links; the target need not exist.
    init(_ path: ByteString, mostLinks: Int = Self.mostLinks) throws(OutputError) {
        guard !path.isEmpty else { throw OutputError(path, .system(errno: ENOENT)) }
        guard !path.bytes.contains(0) else { throw OutputError(path, .system(errno: EINVAL)) }
        guard path != "-" else {
            self = .descriptor(try Self.writable(STDOUT_FILENO, path))
            return
        }
        var start = try Self.directory(".", from: AT_FDCWD, path)
        var rest = path
        for _ in 0...mostLinks {
            let (parent, name) = rest.splittingLastComponent
            let directory = try Self.directory(parent, from: start.rawValue, path)
            // "..", ".", and paths that end in a slash.
            guard !name.isEmpty, name != ".", name != ".." else { throw OutputError(path, .isDirectory) }
            var status = stat()
            let failure = name.withCString { faultline_stat_at(directory.rawValue, $0, &status) }
            if failure == -ENOENT {
                self = .name(OutputName(name, in: directory), existing: nil)
                return
            }
            guard failure == 0 else { throw OutputError(path, .system(errno: -failure)) }
            try Self.requireTrustedOwner(status, in: directory, path)
            switch status.st_mode & S_IFMT {
            case S_IFDIR: throw OutputError(path, .isDirectory)
            case S_IFREG:
                self = .name(OutputName(name, in: directory), existing: status)
                return
            case S_IFLNK where faultline_is_on_proc(directory.rawValue) == 1:
                self = try Self.behindProc(name, consume directory, path)
                return
            case S_IFLNK:
                rest = try Self.target(name, in: directory, path)
                start = directory
            default:
                self = .special(OutputName(name, in: directory), type: status.st_mode & S_IFMT)
                return
            }
        }
        throw OutputError(path, .system(errno: ELOOP))
    }

    private static func directory(
        _ parent: ByteString, from start: Int32, _ path: ByteString
    ) throws(OutputError) -> Descriptor {
        let number = parent.withCString { faultline_open_directory_path(start, $0) }
        guard number >= 0 else { throw OutputError(path, .parent(parent, errno: -number)) }
        return Descriptor(adopting: number)
    }

    /// Like the kernel's fs.protected_symlinks, _regular and _fifos for open(2): in a world-writable sticky directory a
    /// file of another user may be a trap.
    private static func requireTrustedOwner(
        _ status: stat, in directory: borrowing Descriptor, _ path: ByteString
    ) throws(OutputError) {
        var parent = stat()
        guard faultline_fstat(directory.rawValue, &parent) == 0, parent.st_mode & S_ISVTX != 0,
            parent.st_mode & S_IWOTH != 0, status.st_uid != geteuid(), status.st_uid != parent.st_uid
        else { return }
        throw OutputError(path, .foreign(owner: status.st_uid))
    }

    /// `/proc/self/fd/N` means the open descriptor with its position. Opening it again would start at the file's
    /// beginning.
    private static func behindProc(
        _ name: ByteString, _ directory: consuming Descriptor, _ path: ByteString
    ) throws(OutputError) -> ResolvedOutput {
        var (behind, own, table) = (stat(), stat(), stat())
        let isThere = name.withCString { fstatat(directory.rawValue, $0, &behind, 0) } == 0
        let isOwn =
            "/proc/self/fd".withCString { stat($0, &own) } == 0 && faultline_fstat(directory.rawValue, &table) == 0
            && own.isSame(as: table)
        if isOwn, let number = Int32(String(decoding: name.bytes, as: UTF8.self)) {
            return .descriptor(try writable(number, path))
        }
        guard isThere else { throw OutputError(path, .system(errno: ENOENT)) }
        switch behind.st_mode & S_IFMT {
        case S_IFDIR: throw OutputError(path, .isDirectory)
        case S_IFREG: throw OutputError(path, .linkOfProc)
        default: return .special(OutputName(name, in: directory), type: behind.st_mode & S_IFMT)
        }
    }

    private static func writable(_ number: Int32, _ path: ByteString) throws(OutputError) -> Int32 {
        let flags = fcntl(number, F_GETFL)
        guard flags >= 0, flags & O_ACCMODE != O_RDONLY else { throw OutputError(path, .closedDescriptor) }
        return number
    }

    private static func target(
        _ name: ByteString, in directory: borrowing Descriptor, _ path: ByteString
    ) throws(OutputError) -> ByteString {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { buffer in
            name.withCString { readlinkat(directory.rawValue, $0, buffer.baseAddress!, buffer.count) }
        }
        guard count > 0 else { throw OutputError(path, .system(errno: count < 0 ? errno : ENOENT)) }
        return ByteString(bytes[..<count])
    }
}

/// A name in a directory that is held open, so that renaming the directory does not matter.
final class OutputName: Sendable {
    let name: ByteString
    private let directory: Descriptor

    init(_ name: ByteString, in directory: consuming Descriptor) {
        self.name = name
        self.directory = directory
    }

    /// The directory's O_PATH descriptor.
    var parent: Int32 { directory.rawValue }

    /// The status of the named file; nil when there is none or it cannot be read.
    var status: stat? {
        var status = stat()
        return name.withCString { faultline_stat_at(parent, $0, &status) } == 0 ? status : nil
    }

    /// Whether both are the same name in the same directory.
    func isSame(as other: OutputName) -> Bool {
        var (mine, others) = (stat(), stat())
        return name == other.name && faultline_fstat(parent, &mine) == 0 && faultline_fstat(other.parent, &others) == 0
            && mine.isSame(as: others)
    }

    /// Syncs the directory, if the filesystem and our permissions allow it.
    func syncDirectory() -> Int32 {
        let number = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return 0 }
        defer { close(number) }
        let result = faultline_fsync(number)
        return result == -EINVAL ? 0 : result
    }
}

extension stat {
    /// Whether both are the same file.
    func isSame(as other: stat) -> Bool { st_ino == other.st_ino && st_dev == other.st_dev }
}

extension ByteString {
    /// The path before the last slash (`.` without one), and the name after it.
    package var splittingLastComponent: (parent: ByteString, name: ByteString) {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (".", self) }
        return (slash == 0 ? "/" : ByteString(bytes[..<slash]), ByteString(bytes[(slash + 1)...]))
    }
}
