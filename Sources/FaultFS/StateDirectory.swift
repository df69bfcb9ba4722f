import Bytes
import CPlatform
import Glibc
import Storage

/// `.faultline` in the backing directory, while it is mounted: the lock that keeps a second mount away, and the
/// limbo. The mount hides it. What a killed daemon left is taken over by the next mount; any other directory of that
/// name is refused, for it would become invisible.
final class StateDirectory: Sendable {
    private static let mark: ByteString = "faultline mount\n"

    let path: ByteString
    let limbo: Descriptor
    /// Where bytes are put aside: what is overwritten, what is held back.
    let scratch: ScratchFile
    private let lockFile: Descriptor

    init(in backing: ByteString) throws(MountError) {
        path = backing.appending(ControlDirectory.name)
        lockFile = try Self.claim(path, of: backing)
        do throws(MountError) {
            scratch = ScratchFile(try Self.makeFile(path.appending("scratch")))
            let limboPath = path.appending("limbo")
            try Self.call("mkdir", limboPath) { mkdir($0, 0o700) }
            limbo = Descriptor(
                try Self.call("open", limboPath) { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
        } catch {
            // Half of it would be in the way of the next mount.
            try? Self.remove(path)
            throw error
        }
    }

    private static func makeFile(_ path: ByteString) throws(MountError) -> Descriptor {
        do throws(OutputError) { return Descriptor(try OutputDescriptor.create(path, access: O_RDWR)) } catch {
            throw .system(call: "open", path: path, errno: error.errno)
        }
    }

    /// Makes the directory with its mark, locked: from then on nobody else takes it for abandoned.
    private static func claim(_ path: ByteString, of backing: ByteString) throws(MountError) -> Descriptor {
        let mark = path.appending("mount")
        // Whoever mounts the same directory at the same moment may take it away before it is locked.
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
            let file = Descriptor(number)
            guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
                if errno == EWOULDBLOCK { continue }
                // Without a lock a second mount would not be noticed, and nobody could tell that this one is dead.
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
        throw .backingInUse(backing, reason: "is being mounted by somebody else")
    }

    /// Takes away what a killed daemon left in `backing`; nothing when there is none. An error when its mount still
    /// lives, or when it is not ours.
    static func clearAbandoned(in backing: ByteString) throws(MountError) {
        let path = backing.appending(ControlDirectory.name)
        if exists(path) { try clear(path, path.appending("mount"), of: backing) }
    }

    /// Whether a mount of this directory lives.
    static func isMounted(_ backing: ByteString) -> Bool {
        let file = backing.appending(ControlDirectory.name).appending("mount").withCString {
            open($0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        }
        guard file >= 0 else { return false }
        let descriptor = Descriptor(file)
        return flock(descriptor.number, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Takes it away, with everything in the limbo.
    func remove() throws(MountError) { try Self.remove(path) }

    private static func exists(_ path: ByteString) -> Bool {
        var attributes = stat()
        return path.withCString { lstat($0, &attributes) } == 0
    }

    private static func clear(_ path: ByteString, _ mark: ByteString, of backing: ByteString) throws(MountError) {
        let file = mark.withCString { open($0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        let foreign = MountError.backingInUse(backing, reason: "holds a .faultline that is not ours; remove it first")
        guard file >= 0 else {
            // One that was killed before it made the mark leaves an empty directory.
            if errno == ENOENT, path.withCString({ rmdir($0) }) == 0 || errno == ENOENT { return }
            throw foreign
        }
        let descriptor = Descriptor(file)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .backingInUse(backing, reason: "is mounted already") }
            throw .system(call: "flock", path: mark, errno: errno)
        }
        // One that was killed while it made the mark leaves a part of it, and nothing else.
        var text = [UInt8](repeating: 0, count: Self.mark.count + 1)
        let count = Glibc.read(descriptor.number, &text, text.count)
        guard count >= 0, Self.mark.bytes.starts(with: text.prefix(count)) else { throw foreign }
        guard count == Self.mark.count || isAlone(mark, in: path) else { throw foreign }
        try remove(path)
    }

    /// Whether there is nothing else in the directory.
    private static func isAlone(_ file: ByteString, in path: ByteString) -> Bool {
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
