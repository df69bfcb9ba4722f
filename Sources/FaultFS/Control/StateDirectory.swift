import Bytes
import CPlatform
import Glibc
import Platform
import Storage

/// `.faultline` in the backing directory, while it is mounted: a lock file against a second mount, the orphan directory
/// and the scratch file. The mount hides it. The next mount removes the one that a killed daemon left; any other
/// directory of that name is an error, since the mount would hide it.
final class StateDirectory: Sendable {
    private static let mark: ByteString = "faultline mount\n"

    let path: ByteString
    let orphans: SharedDescriptor
    /// Holds overwritten bytes and held writes.
    let scratch: ScratchFile
    private let lockFile: SharedDescriptor

    init(in backing: ByteString) throws(MountError) {
        path = backing.appending(ControlDirectory.name)
        lockFile = try Self.claim(path, of: backing)
        do throws(MountError) {
            scratch = ScratchFile(try Self.makeFile(path.appending("scratch")))
            let orphansPath = path.appending("orphans")
            try Self.call("mkdir", orphansPath) { mkdir($0, 0o700) }
            orphans = SharedDescriptor(
                adopting:
                    try Self.call("open", orphansPath) { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
        } catch {
            // A partial state directory would block the next mount.
            try? Self.remove(path)
            throw error
        }
    }

    private static func makeFile(_ path: ByteString) throws(MountError) -> SharedDescriptor {
        do throws(OutputError) {
            return SharedDescriptor(adopting: try OutputDescriptor.create(path, access: O_RDWR))
        } catch {
            throw .system(call: "open", path: path, errno: error.errno)
        }
    }

    /// Creates the directory with its locked mark file. From then on no other mount considers it abandoned.
    private static func claim(_ path: ByteString, of backing: ByteString) throws(MountError) -> SharedDescriptor {
        let mark = path.appending("mount")
        // A concurrent mount of the same directory may remove it before it is locked.
        for _ in 0..<8 {
            try clearAbandoned(in: backing)
            guard path.withCString({ mkdir($0, 0o700) }) == 0 else {
                if errno == EEXIST { continue }
                throw .system(call: "mkdir", path: path, errno: errno)
            }
            let number: Int32
            do throws(OutputError) { number = try OutputDescriptor.create(mark, access: O_RDWR) } catch {
                if error.errno == ENOENT || error.errno == EEXIST { continue }
                throw .system(call: "open", path: mark, errno: error.errno)
            }
            let file = SharedDescriptor(adopting: number)
            guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
                if errno == EWOULDBLOCK { continue }
                // Without a lock a second mount would go undetected, and a dead mount would look alive.
                let failure = errno
                try remove(path)
                throw .system(call: "flock", path: mark, errno: failure)
            }
            var attributes = stat()
            guard fstat(number, &attributes) == 0, attributes.st_nlink > 0 else { continue }
            let written = Self.mark.bytes.withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
            guard written == Self.mark.count else { throw .system(call: "write", path: mark, errno: errno) }
            return file
        }
        throw .backingInUse(backing, reason: "another process is mounting it")
    }

    /// Removes the state directory that a killed daemon left in `backing`, if any. Throws when its mount is alive or
    /// when the directory is not ours.
    static func clearAbandoned(in backing: ByteString) throws(MountError) {
        let path = backing.appending(ControlDirectory.name)
        if exists(path) { try clear(path, path.appending("mount"), of: backing) }
    }

    /// Whether this directory is mounted.
    static func isMounted(_ backing: ByteString) -> Bool {
        let file = backing.appending(ControlDirectory.name).appending("mount").withCString {
            open($0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        }
        guard file >= 0 else { return false }
        let descriptor = SharedDescriptor(adopting: file)
        return flock(descriptor.rawValue, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Removes it with all its contents.
    func remove() throws(MountError) { try Self.remove(path) }

    private static func exists(_ path: ByteString) -> Bool {
        var attributes = stat()
        return path.withCString { lstat($0, &attributes) } == 0
    }

    private static func clear(_ path: ByteString, _ mark: ByteString, of backing: ByteString) throws(MountError) {
        let file = mark.withCString { open($0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        let foreign = MountError.backingInUse(backing, reason: "holds a .faultline that is not ours; remove it first")
        guard file >= 0 else {
            // A daemon killed before it created the mark leaves an empty directory.
            if errno == ENOENT, path.withCString({ rmdir($0) }) == 0 || errno == ENOENT { return }
            throw foreign
        }
        let descriptor = SharedDescriptor(adopting: file)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .backingInUse(backing, reason: "is mounted already") }
            throw .system(call: "flock", path: mark, errno: errno)
        }
        // A daemon killed while it wrote the mark leaves a prefix of it and no other file.
        var text = [UInt8](repeating: 0, count: Self.mark.count + 1)
        let count = Glibc.read(descriptor.rawValue, &text, text.count)
        guard count >= 0, Self.mark.bytes.starts(with: text.prefix(count)) else { throw foreign }
        guard count == Self.mark.count || inFreshProcess(mark, in: path) else { throw foreign }
        try remove(path)
    }

    /// Whether the directory has no other entry.
    private static func inFreshProcess(_ file: ByteString, in path: ByteString) -> Bool {
        guard let stream = path.withCString({ opendir($0) }) else { return false }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        return count == 3
    }

    private static func remove(_ path: ByteString) throws(MountError) {
        do { try TreeRemoval.remove(path) } catch {
            switch error {
            case .system(let call, let path, let errno): throw .system(call: call, path: path, errno: errno)
            case .mountPoint(let path): throw .system(call: "rmdir", path: path, errno: EBUSY)
            default: throw .system(call: "remove", path: path, errno: EPERM)
            }
        }
    }

    @discardableResult
    private static func call(_ call: String, _ path: ByteString, _ body: (UnsafePointer<CChar>) -> Int32)
        throws(MountError) -> Int32
    {
        let result = path.withCString(body)
        guard result >= 0 else { throw .system(call: call, path: path, errno: errno) }
        return result
    }
}

extension ByteString {
    /// The path of `name` in the directory with this path.
    func appending(_ name: ByteString) -> ByteString { ByteString(bytes + [UInt8(ascii: "/")] + name.bytes) }
}
