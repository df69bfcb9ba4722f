import Bytes
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

        package init(mountPoint: ByteString, type: ByteString, source: ByteString, owner: UInt32? = nil) {
            self.mountPoint = mountPoint
            self.type = type
            self.source = source
            self.owner = owner
        }

        /// It is a mount of FaultFS.
        package var isFaultFS: Bool { type == MountTable.type }

        /// The process that serves it; nil when it is none of ours.
        package var daemon: Int32? {
            guard isFaultFS else { return nil }
            let prefix = MountTable.sourcePrefix.bytes
            guard source.bytes.starts(with: prefix) else { return nil }
            return Int32(String(decoding: source.bytes.dropFirst(prefix.count), as: UTF8.self))
        }

        /// It is ours and its daemon is gone: every call on it fails with ENOTCONN.
        package var isAbandoned: Bool {
            guard let daemon else { return false }
            return !Entry.isAlive(daemon)
        }

        /// Whether a process serves: one that was killed and that nobody has reaped yet does not.
        private static func isAlive(_ process: Int32) -> Bool {
            guard kill(process, 0) == 0 || errno == EPERM else { return false }
            let path = ByteString("/proc/\(process)/stat")
            let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            var text = [UInt8](repeating: 0, count: 512)
            let count = Glibc.read(descriptor, &text, text.count)
            // pid (name) state …: the name may hold anything, so count from its last parenthesis.
            guard count > 0, let close = text[..<count].lastIndex(of: UInt8(ascii: ")")), close + 2 < count else {
                return false
            }
            return text[close + 2] != UInt8(ascii: "Z") && text[close + 2] != UInt8(ascii: "X")
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

    /// Our mounts whose daemon is gone: every call on them fails with ENOTCONN.
    package static func abandoned() throws(MountError) -> [Entry] {
        try read().filter(\.isAbandoned)
    }

    /// Detaches our mount at `mountPoint`, whoever served it. What is still open there fails from then on.
    package static func detach(_ mountPoint: ByteString, helper: ByteString = "fusermount3") throws(MountError) {
        try KernelMount.unmount(mountPoint, helper: helper, force: true)
    }

    static func parse(_ text: [UInt8]) -> [Entry] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            guard let dash = fields.firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }), dash >= 5,
                fields.count > dash + 2
            else { return nil }
            return Entry(
                mountPoint: unescape(fields[4]), type: unescape(fields[dash + 1]), source: unescape(fields[dash + 2]),
                owner: fields.count > dash + 3 ? userID(in: fields[dash + 3]) : nil)
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
