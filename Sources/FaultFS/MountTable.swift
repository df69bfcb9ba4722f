import Bytes
import CPlatform
import Glibc

/// The mounts of FaultFS that the kernel knows, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
package enum MountTable {
    /// One mount.
    package struct Entry: Hashable, Sendable {
        package var mountPoint: ByteString
        package var type: ByteString
        package var source: ByteString
        /// The user whom a FUSE mount belongs to (its option user_id).
        package var owner: UInt32?
        /// The kernel's number of the mount, while it lives.
        package var id: Int?

        package init(
            mountPoint: ByteString, type: ByteString, source: ByteString, owner: UInt32? = nil, id: Int? = nil
        ) {
            self.id = id
            self.mountPoint = mountPoint
            self.type = type
            self.source = source
            self.owner = owner
        }

        /// It is a mount of FaultFS.
        package var isFaultFS: Bool { type == MountTable.type }

        /// The process that serves it, by its id in the namespace where it was started; nil when it is none of ours.
        package var daemon: Int32? {
            guard isFaultFS else { return nil }
            let prefix = MountTable.sourcePrefix.bytes
            guard source.bytes.starts(with: prefix) else { return nil }
            return Int32(String(decoding: source.bytes.dropFirst(prefix.count), as: UTF8.self))
        }

        /// It is mounted at the directory `path`, or somewhere beneath it.
        package func isWithin(_ path: ByteString) -> Bool {
            mountPoint == path || mountPoint.bytes.starts(with: path.bytes + [UInt8(ascii: "/")])
        }
    }

    package static let type: ByteString = "fuse.faultline"
    private static let sourcePrefix: ByteString = "faultline-"

    /// The source under which a mount that `process` serves is listed.
    package static func source(of process: Int32) -> ByteString {
        ByteString(sourcePrefix.bytes + Array(String(process).utf8))
    }

    /// Every mount, the latest last.
    package static func read() throws(MountError) -> [Entry] {
        let path: ByteString = "/proc/self/mountinfo"
        let file = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        let descriptor = Descriptor(file)
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor.number, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(call: "read", path: path, errno: errno) }
            if count == 0 { return parse(text) }
            text += buffer[..<count]
        }
    }

    /// Detaches our mount at `mountPoint`, whoever served it. What is still open there fails from then on.
    package static func detach(_ mountPoint: ByteString, helper: ByteString = "fusermount3") throws(MountError) {
        try KernelMount.unmount(mountPoint, helper: helper, force: true)
    }

    /// Detaches everything that is mounted at the directory `path` or beneath it, whoever mounted it, even if it is in use.
    ///
    /// A mount may be a copy of others, or of the whole machine (a bind mount): it is cut off from them first, so that
    /// nothing outside is unmounted, and no connection is ended, for others may use it.
    package static func detachAll(
        beneath path: ByteString, helper: ByteString = "fusermount3"
    ) throws(MountError) {
        let path = resolved(path)
        var inside = try read().filter { $0.isWithin(path) }
        // The outermost mount takes with it what is mounted in it. One less each time, however many are stacked.
        while let outermost = inside.min(by: { $0.mountPoint.count < $1.mountPoint.count })?.mountPoint {
            try KernelMount.detach(outermost, helper: helper)
            let left = try read().filter { $0.isWithin(path) }
            guard left.count < inside.count else {
                throw .system(call: "umount", path: outermost, errno: EBUSY)
            }
            inside = left
        }
    }

    /// The path as the table has it. Its last part may be a mount that nobody serves: it is not looked at.
    private static func resolved(_ path: ByteString) -> ByteString {
        guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return path }
        guard let parent = ByteString(path.bytes[..<slash]).withCString({ realpath($0, nil) }) else { return path }
        defer { free(parent) }
        return ByteString(cString: parent).appending(ByteString(path.bytes[(slash + 1)...]))
    }

    static func parse(_ text: [UInt8]) -> [Entry] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            guard let dash = fields.firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }), dash >= 5,
                fields.count > dash + 2
            else { return nil }
            return Entry(
                mountPoint: unescape(fields[4]), type: unescape(fields[dash + 1]), source: unescape(fields[dash + 2]),
                owner: fields.count > dash + 3 ? userID(in: fields[dash + 3]) : nil,
                id: Int(String(decoding: fields[0], as: UTF8.self)))
        }
    }

    private static func userID(in options: ArraySlice<UInt8>) -> UInt32? {
        let key = Array("user_id=".utf8)
        let option = options.split(separator: UInt8(ascii: ",")).first { $0.starts(with: key) }
        return option.flatMap { UInt32(String(decoding: $0.dropFirst(key.count), as: UTF8.self)) }
    }

    /// Undoes the octal escapes of blanks and backslashes.
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
