import Bytes
import CPlatform
import Glibc
import Platform

/// A loop device of ours: a block device that is a file.
///
/// Invariants: it was free when we took it; what lies behind it is the file that was given, as sysfs says
/// (`requireOurs`); the kernel frees it by itself when the last mount and the last descriptor are gone (autoclear), so that
/// a killed process leaves none. Thread safe.
package final class LoopDevice: Sendable {
    /// `/dev/loopN`
    package let path: ByteString
    package let number: Int
    /// The file behind it: absolute, without symbolic links.
    package let file: ByteString
    private let descriptor: Guarded<Int32>

    /// Puts `file` behind a free device.
    ///
    /// - Parameters:
    ///   - directory: the file must lie in it, whatever links are in its path: a directory of this run.
    ///   - blockBytes: the sector size that the filesystem sees.
    ///   - isDirect: without the kernel's cache for the file, so that it holds what reached the device.
    package init(
        _ file: ByteString, in directory: ByteString, blockBytes: UInt32 = 4096, isDirect: Bool
    ) throws(BlockError) {
        let (path, opened) = try Self.open(file, in: directory)
        defer { close(opened) }
        self.file = path
        let (number, device) = try Self.attach(opened, blockBytes, isDirect: isDirect)
        self.number = Int(number)
        self.path = Self.path(of: number)
        descriptor = Guarded(device)
        try requireOurs()
    }

    private static func path(of number: Int32) -> ByteString { ByteString("/dev/loop\(number)") }

    /// The number of a device that has the file behind it, and a descriptor of the device.
    private static func attach(
        _ file: Int32, _ blockBytes: UInt32, isDirect: Bool
    ) throws(BlockError) -> (number: Int32, device: Int32) {
        for _ in 0..<attempts {
            let number = faultline_free_loop_device()
            guard number >= 0 else { throw .noLoopDevice(errno: -number) }
            let path = path(of: number)
            let device = path.withCString { faultline_configure_loop_device($0, file, blockBytes, isDirect ? 1 : 0) }
            switch device {
            case 0...: return (number, device)
            // Somebody else was faster, or it is just being freed.
            case -EBUSY: continue
            case -ENOENT, -ENXIO: throw .noDeviceNode(path, number: Int(number))
            default: throw .system(call: "LOOP_CONFIGURE", path: path, errno: -device)
            }
        }
        throw .noLoopDevice(errno: EBUSY)
    }

    deinit { release() }

    private static let attempts = 64

    private static func open(
        _ file: ByteString, in directory: ByteString
    ) throws(BlockError) -> (path: ByteString, descriptor: Int32) {
        let (path, parent) = (try RealPath.of(file), try RealPath.of(directory))
        guard path.bytes.starts(with: parent.bytes + [UInt8(ascii: "/")]) else { throw .notARegularFile(file) }
        let number = path.withCString { Glibc.open($0, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard number >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(number)
            throw .notARegularFile(file)
        }
        return (path, number)
    }

    /// Throws unless sysfs says that our file lies behind the device. Asked before anything is mounted or written.
    package func requireOurs() throws(BlockError) { try Self.require(path, toHold: file) }

    /// Throws unless the loop device at `path` has `file` behind it.
    package static func require(_ path: ByteString, toHold file: ByteString) throws(BlockError) {
        let found = backingFile(of: path)
        guard found == file else { throw .notOurs(device: path, expected: file, found: found) }
    }

    /// The file behind a loop device; nil where there is none, or no such device.
    package static func backingFile(of device: ByteString) -> ByteString? {
        guard let name = device.bytes.split(separator: UInt8(ascii: "/")).last else { return nil }
        let path = ByteString(Array("/sys/block/".utf8) + name + Array("/loop/backing_file".utf8))
        let number = path.withCString { Glibc.open($0, O_RDONLY | O_CLOEXEC) }
        guard number >= 0 else { return nil }
        defer { close(number) }
        // A page at most.
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(number, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return ByteString(buffer[..<count].prefix { $0 != UInt8(ascii: "\n") })
    }

    /// Drops what the kernel remembers of the device: the file behind it was changed.
    package func dropCache() throws(BlockError) {
        let result = descriptor.withLock { faultline_drop_device_cache($0) }
        guard result == 0 else { throw .system(call: "BLKFLSBUF", path: path, errno: -result) }
    }

    /// Nothing has it mounted. A copy of a mount, in a mount namespace that somebody made meanwhile, counts.
    package var isQuiet: Bool {
        for attempt in 0..<6 {
            let number = path.withCString { Glibc.open($0, O_RDONLY | O_EXCL | O_CLOEXEC) }
            if number >= 0 {
                close(number)
                return true
            }
            usleep(UInt32(200) << UInt32(attempt))
        }
        return false
    }

    /// Lets go of the device: the kernel frees it now, or when its last mount ends.
    package func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// Waits until the kernel has let go of the file, after `release`. False when it does not within the time.
    package func waitUntilFree(milliseconds: Int = 2000) -> Bool {
        for _ in 0..<milliseconds {
            if Self.backingFile(of: path) != file { return true }
            usleep(1000)
        }
        return false
    }
}
