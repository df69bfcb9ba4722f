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
        let mark = path.appending("mount")
        try Self.clearAbandoned(in: backing)
        try Self.call("mkdir", path) { mkdir($0, 0o700) }
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        lockFile = Descriptor(try Self.call("open", mark) { open($0, flags, 0o600) })
        _ = flock(lockFile.number, LOCK_EX | LOCK_NB)
        let number = lockFile.number
        let written = Self.mark.bytes.withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
        guard written == Self.mark.count else { throw .system(call: "write", path: mark, errno: errno) }
        let scratchPath = path.appending("scratch")
        scratch = ScratchFile(Descriptor(try Self.call("open", scratchPath) { open($0, flags, 0o600) }))
        let limboPath = path.appending("limbo")
        try Self.call("mkdir", limboPath) { mkdir($0, 0o700) }
        limbo = Descriptor(
            try Self.call("open", limboPath) { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
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
        let file = mark.withCString { open($0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        let foreign = MountError.backingInUse(backing, reason: "holds a .faultline that is not ours; remove it first")
        guard file >= 0 else { throw foreign }
        let descriptor = Descriptor(file)
        var text = [UInt8](repeating: 0, count: Self.mark.count)
        guard Glibc.read(file, &text, text.count) == text.count, ByteString(text) == Self.mark else { throw foreign }
        guard flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 else {
            throw .backingInUse(backing, reason: "is mounted already")
        }
        try remove(path)
    }

    private static func remove(_ path: ByteString) throws(MountError) {
        do { try TreeRemoval.remove(path) } catch {
            guard case .system(let call, let path, let errno) = error else {
                throw .system(call: "remove", path: path, errno: EIO)
            }
            throw .system(call: call, path: path, errno: errno)
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
