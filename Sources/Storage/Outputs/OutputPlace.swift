import Bytes
import CPlatform
import Glibc

/// What the path of an output stands for. Nothing is changed, and nothing opened but directories, to find it out.
enum OutputPlace {
    /// A name of a regular file or of nothing yet.
    case name(OutputName, existing: stat?)
    /// Where bytes go to and no file is: a device, a FIFO, a socket.
    case special(OutputName, type: mode_t)
    /// A descriptor of this process that was open before.
    case descriptor(Int32)

    /// As many symbolic links as the kernel follows.
    static var mostLinks: Int { 40 }

    /// Follows symbolic links to what they stand for, which need not be there.
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
            // "..", "." and what ends in a slash.
            guard !name.isEmpty, name != ".", name != ".." else { throw OutputError(path, .isDirectory) }
            var status = stat()
            let failure = name.withCString { faultline_stat_at(directory.rawValue, $0, &status) }
            if failure == -ENOENT {
                self = .name(OutputName(name, in: directory), existing: nil)
                return
            }
            guard failure == 0 else { throw OutputError(path, .system(errno: -failure)) }
            try Self.refuseTraps(status, in: directory, path)
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
    ) throws(OutputError) -> PosixDescriptor {
        let number = parent.withCString { faultline_open_directory_path(start, $0) }
        guard number >= 0 else { throw OutputError(path, .parent(parent, errno: -number)) }
        return PosixDescriptor(adopting: number)
    }

    /// As the kernel does for open(2) where fs.protected_symlinks, _regular and _fifos are set: in a directory where
    /// everybody may write, something of another user may have been laid there to be written to.
    private static func refuseTraps(
        _ status: stat, in directory: borrowing PosixDescriptor, _ path: ByteString
    ) throws(OutputError) {
        var parent = stat()
        guard faultline_fstat(directory.rawValue, &parent) == 0, parent.st_mode & S_ISVTX != 0,
            parent.st_mode & S_IWOTH != 0, status.st_uid != geteuid(), status.st_uid != parent.st_uid
        else { return }
        throw OutputError(path, .foreign(owner: status.st_uid))
    }

    /// `/proc/self/fd/N` is the open descriptor itself, at the position that it has: opened again, a file would be
    /// written from its beginning.
    private static func behindProc(
        _ name: ByteString, _ directory: consuming PosixDescriptor, _ path: ByteString
    ) throws(OutputError) -> OutputPlace {
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
        _ name: ByteString, in directory: borrowing PosixDescriptor, _ path: ByteString
    ) throws(OutputError) -> ByteString {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { buffer in
            name.withCString { readlinkat(directory.rawValue, $0, buffer.baseAddress!, buffer.count) }
        }
        guard count > 0 else { throw OutputError(path, .system(errno: count < 0 ? errno : ENOENT)) }
        return ByteString(bytes[..<count])
    }
}

/// A name in a directory that stays open, and so stays the same one.
final class OutputName: Sendable {
    let name: ByteString
    private let directory: PosixDescriptor

    init(_ name: ByteString, in directory: consuming PosixDescriptor) {
        self.name = name
        self.directory = directory
    }

    /// The descriptor of the directory: good for names beneath it alone (O_PATH).
    var parent: Int32 { directory.rawValue }

    /// What stands there now; nil when nothing does, or nobody can say.
    var status: stat? {
        var status = stat()
        return name.withCString { faultline_stat_at(parent, $0, &status) } == 0 ? status : nil
    }

    /// Whether both are one name of one directory.
    func isSame(as other: OutputName) -> Bool {
        var (mine, others) = (stat(), stat())
        return name == other.name && faultline_fstat(parent, &mine) == 0 && faultline_fstat(other.parent, &others) == 0
            && mine.isSame(as: others)
    }

    /// Makes the names in the directory durable, where the filesystem and our rights allow it.
    func syncDirectory() -> Int32 {
        let number = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return 0 }
        defer { close(number) }
        let result = faultline_fsync(number)
        return result == -EINVAL ? 0 : result
    }
}

extension stat {
    /// Whether both are one file.
    func isSame(as other: stat) -> Bool { st_ino == other.st_ino && st_dev == other.st_dev }
}

extension ByteString {
    /// The path before the last slash, `.` without one, and what comes after it.
    package var splittingLastComponent: (parent: ByteString, name: ByteString) {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (".", self) }
        return (slash == 0 ? "/" : ByteString(bytes[..<slash]), ByteString(bytes[(slash + 1)...]))
    }
}
