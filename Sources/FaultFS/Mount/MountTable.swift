import Bytes
import CPlatform
import Glibc
import Platform

/// The kernel's mounts, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
package enum MountTable {
    /// One mount.
    package struct Mount: Hashable, Sendable {
        package var mountPoint: ByteString
        package var type: ByteString
        package var source: ByteString
        /// The user that owns a FUSE mount (its option user_id).
        package var owner: UInt32?
        /// The kernel's mount id.
        package var id: Int?
        /// The options of the filesystem itself, such as `rw` or `emergency_ro`; not those of this mount of it.
        package var filesystemOptions: Set<ByteString>

        package init(
            mountPoint: ByteString, type: ByteString, source: ByteString, owner: UInt32? = nil, id: Int? = nil,
            filesystemOptions: Set<ByteString> = []
        ) {
            self.id = id
            self.filesystemOptions = filesystemOptions
            self.mountPoint = mountPoint
            self.type = type
            self.source = source
            self.owner = owner
        }

        /// Whether it is a FaultFS mount.
        package var isFaultFS: Bool { type == MountTable.type }

        /// The pid of its server, in the pid namespace where it was started; nil when it is not a FaultFS mount.
        package var daemon: Int32? {
            guard isFaultFS else { return nil }
            let prefix = MountTable.sourcePrefix.bytes
            guard source.bytes.starts(with: prefix) else { return nil }
            return Int32(String(decoding: source.bytes.dropFirst(prefix.count), as: UTF8.self))
        }

        /// Whether it is mounted at the directory `path` or below.
        package func isWithin(_ path: ByteString) -> Bool {
            mountPoint == path || mountPoint.bytes.starts(with: path.bytes + [UInt8(ascii: "/")])
        }
    }

    package static let type: ByteString = "fuse.faultline"
    private static let sourcePrefix: ByteString = "faultline-"

    /// The mount source of mounts that `process` serves.
    package static func source(of process: Int32) -> ByteString {
        ByteString(sourcePrefix.bytes + Array(String(process).utf8))
    }

    /// All mounts, latest last.
    package static func read() throws(MountError) -> [Mount] {
        let path: ByteString = "/proc/self/mountinfo"
        let file = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        let descriptor = SharedDescriptor(adopting: file)
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor.rawValue, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(call: "read", path: path, errno: errno) }
            if count == 0 { return parse(text) }
            text += buffer[..<count]
        }
    }

    /// Unmounts the FaultFS mount at `mountPoint` by force, whoever served it. Open files then fail.
    package static func detach(_ mountPoint: ByteString, helper: ByteString = "fusermount3") throws(MountError) {
        try KernelMount.unmount(mountPoint, helper: helper, force: true)
    }

    /// Detaches every mount at the directory `path` or below, whoever mounted it, even if it is in use.
    ///
    /// A bind mount may be a copy of other mounts, even of the whole machine. It is made private first, so that nothing
    /// outside is unmounted. FUSE connections are not aborted, since others may use them.
    package static func detachAll(
        beneath path: ByteString, helper: ByteString = "fusermount3"
    ) throws(MountError) {
        let path = resolved(path)
        var inside = try read().filter { $0.isWithin(path) }
        // Detaching the outermost mount also detaches the mounts inside it. Stacked mounts need a round each.
        while let outermost = inside.min(by: { $0.mountPoint.count < $1.mountPoint.count })?.mountPoint {
            try KernelMount.detach(outermost, helper: helper)
            let left = try read().filter { $0.isWithin(path) }
            guard left.count < inside.count else {
                throw .system(call: "umount", path: outermost, errno: EBUSY)
            }
            inside = left
        }
    }

    /// The path with symbolic links resolved, as in the table. The last component is not accessed: it may be a dead
    /// mount.
    private static func resolved(_ path: ByteString) -> ByteString {
        guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return path }
        guard let parent = ByteString(path.bytes[..<slash]).withCString({ realpath($0, nil) }) else { return path }
        defer { free(parent) }
        return ByteString(cString: parent).appending(ByteString(path.bytes[(slash + 1)...]))
    }

    static func parse(_ text: [UInt8]) -> [Mount] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            guard let dash = fields.firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }), dash >= 5,
                fields.count > dash + 2
            else { return nil }
            return Mount(
                mountPoint: unescape(fields[4]), type: unescape(fields[dash + 1]), source: unescape(fields[dash + 2]),
                owner: fields.count > dash + 3 ? userID(in: fields[dash + 3]) : nil,
                id: Int(String(decoding: fields[0], as: UTF8.self)),
                filesystemOptions: fields.count > dash + 3
                    ? Set(fields[dash + 3].split(separator: UInt8(ascii: ",")).map { ByteString($0) }) : [])
        }
    }

    private static func userID(in options: ArraySlice<UInt8>) -> UInt32? {
        let key = Array("user_id=".utf8)
        let option = options.split(separator: UInt8(ascii: ",")).first { $0.starts(with: key) }
        return option.flatMap { UInt32(String(decoding: $0.dropFirst(key.count), as: UTF8.self)) }
    }

    /// Decodes the octal escapes of mountinfo.
    private static func unescape(_ field: ArraySlice<UInt8>) -> ByteString {
        var bytes: [UInt8] = []
        var index = field.startIndex
        while index < field.endIndex {
            if field[index] == UInt8(ascii: "\\"), index + 3 < field.endIndex,
                let value = UInt8(String(decoding: field[index + 1...index + 3], as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                index += 4
            } else {
                bytes.append(field[index])
                index += 1
            }
        }
        return ByteString(bytes)
    }
}
