import Bytes
import CPlatform
import Glibc
import Oracle
import Platform
import Storage

/// The oracle file of a workload.
///
/// Each line is a single write(2), so a killed workload does not tear lines, and is synced (fdatasync) when `append`
/// returns, so an acknowledgement survives a crash of the machine. The exception is `.faultline/oracle` in a FaultFS
/// mount: it records each line in the trace and needs no sync.
///
/// An oracle on the storage under test is an error, since faults would damage it, unless only the process is going to
/// fail.
///
/// Thread safe: lines of several threads do not mix.
package final class OracleFile: OracleSink {
    private let path: ByteString
    private let file: SharedDescriptor
    private let isTraced: Bool

    /// Opens `path` for appending; creates it with mode 0600 if needed. Fails for a symbolic link.
    ///
    /// - Parameter storage: the directory of the store under test.
    /// - Parameter mayShareFilesystem: allows the oracle on the filesystem of `storage`.
    package init(
        path: ByteString, storage: ByteString, mayShareFilesystem: Bool = false
    ) throws(TargetError) {
        self.path = path
        if OracleFile.namesControlFile(path) {
            let file = try TargetError.naming("open", path) { () throws(Errno) in
                try SharedDescriptor.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
            }
            if try OracleFile.isOnFUSE(file, path) {
                (self.file, isTraced) = (file, true)
                return
            }
        }
        let storageDevice = try OracleFile.device(of: storage)
        if !mayShareFilesystem { try OracleFile.requireOtherFilesystem(path, on: storageDevice, storage) }
        let (file, isNew) = try OracleFile.openOrCreate(path)
        if isNew { try OracleFile.makeNameDurable(path) }
        (self.file, isTraced) = (file, false)
    }

    /// Checks a workload's paths before it runs: throws for a missing store directory, an oracle that is not a regular
    /// file, and an oracle on the storage under test unless it may share the filesystem.
    package static func check(
        path: ByteString, storage: ByteString, mayShareFilesystem: Bool
    ) throws(TargetError) {
        var status = stat()
        guard storage.withCString({ stat($0, &status) }) == 0 else { throw .system("open", storage) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .system(call: "open", path: storage, errno: ENOTDIR) }
        if path.withCString({ lstat($0, &status) }) == 0 {
            switch status.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFLNK: throw .system(call: "open", path: path, errno: ELOOP)
            default: throw .notRegularFile(path)
            }
        }
        if namesControlFile(path), let file = try? SharedDescriptor.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW),
            try isOnFUSE(file, path)
        {
            return
        }
        _ = try device(of: folder(of: path))
        if !mayShareFilesystem { try requireOtherFilesystem(path, on: device(of: storage), storage) }
    }

    private static func requireOtherFilesystem(
        _ path: ByteString, on storageDevice: dev_t, _ storage: ByteString
    ) throws(TargetError) {
        var status = stat()
        let own = try path.withCString { stat($0, &status) } == 0 ? status.st_dev : device(of: folder(of: path))
        guard storageDevice != own else { throw .oracleOnStorageUnderTest(oracle: path, storage: storage) }
    }

    /// Appends `line`. It is durable when this returns.
    package func append(_ line: OracleLine) throws(TargetError) {
        let bytes = line.encoded
        var count = 0
        repeat {
            count = bytes.withUnsafeBytes { write(file.rawValue, $0.baseAddress, $0.count) }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw .system("write", path) }
        guard count == bytes.count else {
            throw .oracleTooShort(path: path, wroteBytes: count, lineBytes: bytes.count)
        }
        if !isTraced, fdatasync(file.rawValue) != 0 { throw .system("fdatasync", path) }
    }

    private static func namesControlFile(_ path: ByteString) -> Bool {
        let ending = Array(".faultline/oracle".utf8)
        return path.bytes.count > ending.count && path.bytes.suffix(ending.count).elementsEqual(ending)
            && path.bytes[path.bytes.count - ending.count - 1] == UInt8(ascii: "/")
    }

    /// Whether the control file is that of a mount. Elsewhere `.faultline/oracle` is an ordinary file.
    private static func isOnFUSE(_ file: SharedDescriptor, _ path: ByteString) throws(TargetError) -> Bool {
        let answer = faultline_is_on_fuse(file.rawValue)
        guard answer >= 0 else { throw .system(call: "fstatfs", path: path, errno: -answer) }
        return answer == 1
    }

    private static func openOrCreate(_ path: ByteString) throws(TargetError) -> (SharedDescriptor, isNew: Bool) {
        do throws(OutputError) {
            let (number, isNew) = try OutputDescriptor.append(path)
            return (SharedDescriptor(adopting: number), isNew)
        } catch {
            throw .system(call: "open", path: path, errno: error.errno)
        }
    }

    private static func device(of path: ByteString) throws(TargetError) -> dev_t {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { throw .system("stat", path) }
        return status.st_dev
    }

    private static func folder(of path: ByteString) -> ByteString {
        let slash = path.bytes.lastIndex(of: UInt8(ascii: "/"))
        return slash.map { ByteString(path.bytes[..<max(1, $0)]) } ?? "."
    }

    private static func makeNameDurable(_ path: ByteString) throws(TargetError) {
        let folder = folder(of: path)
        let descriptor = try TargetError.naming("open", folder) { () throws(Errno) in
            try SharedDescriptor.open(folder, O_RDONLY | O_DIRECTORY)
        }
        guard fsync(descriptor.rawValue) == 0 else { throw .system("fsync", folder) }
    }
}
