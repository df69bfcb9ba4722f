import Bytes
import CPlatform
import Glibc
import Oracle
import Platform
import Storage

/// Where a workload writes down what it asks and what the store acknowledges.
///
/// Each line is one write(2), so that a killed workload tears none, and is on disk (fdatasync) when `append` returns:
/// an acknowledgement outlives the machine as the data should. The exception is `.faultline/oracle` inside a FaultFS
/// mount, which puts each line into the trace at its place among the storage operations and needs no sync.
///
/// An oracle on the storage under test would be damaged by the faults that it is to judge: it is refused, unless the
/// caller says that nothing but the process is going to fail.
///
/// Thread safe: lines of several threads do not mix.
package final class OracleFile: OracleSink {
    private let path: ByteString
    private let file: SharedDescriptor
    private let isTraced: Bool

    /// Opens `path` for appending and creates it (mode 0600) if it is not there. A symbolic link is refused.
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
        if !mayShareFilesystem { try OracleFile.refuse(path, on: storageDevice, storage) }
        let (file, isNew) = try OracleFile.openOrCreate(path)
        if isNew { try OracleFile.makeNameDurable(path) }
        (self.file, isTraced) = (file, false)
    }

    /// Says before anything is done what would be wrong with a workload of any target: a store that is not there, an
    /// oracle that is no file, and, unless it may share the filesystem, one on the storage under test.
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
        if !mayShareFilesystem { try refuse(path, on: device(of: storage), storage) }
    }

    private static func refuse(
        _ path: ByteString, on storageDevice: dev_t, _ storage: ByteString
    ) throws(TargetError) {
        var status = stat()
        let own = try path.withCString { stat($0, &status) } == 0 ? status.st_dev : device(of: folder(of: path))
        guard storageDevice != own else { throw .oracleOnStorageUnderTest(oracle: path, storage: storage) }
    }

    /// Appends `line`. When it returns, the line is durable.
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

    /// A directory of that name elsewhere is an ordinary one, and its oracle needs every care.
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
