import Bytes
import CPlatform
import Glibc
import Platform

/// A device-mapper device of ours over other devices of ours.
///
/// dmsetup(8) makes it and changes its table. A change is atomic for the filesystem on it: requests that came before it are
/// answered by the old table, later ones by the new one. No filesystem is frozen, and nothing is flushed, as with a disk
/// that fails.
///
/// Its name begins with that of the run's scratch directory, so that `cleanup` knows whose it is. One thread at a time, but
/// for `send`.
package final class MappedDevice: BlockDevice, @unchecked Sendable {
    /// `/dev/dm-N`: the kernel makes this node, whether udev runs or not.
    package let path: ByteString
    package let name: String
    private let lower: [any BlockDevice]
    private var isThere = true

    static let (program, package) = ("dmsetup", "dmsetup")
    /// No udev daemon is waited for.
    private static let options = ["--noudevsync", "--noudevrules"]
    static let sectorBytes: UInt64 = 512

    /// Makes the device.
    ///
    /// - Parameters:
    ///   - name: unique, and beginning with the name of the scratch directory that the files of `lower` are in.
    ///   - lower: the devices that the table names.
    package init(named name: String, over lower: [any BlockDevice], table: String) throws {
        (self.name, self.lower) = (name, lower)
        for device in lower { try device.requireOurs() }
        try FilesystemTool.run(
            [Self.program, "create"] + Self.options + [name, "--table", table], [], package: Self.package)
        guard let device = DeviceMapper.devices().first(where: { $0.name == name }) else {
            DeviceMapper.remove(name)
            throw BlockError.system(call: "looking for it in sysfs", path: ByteString(name), errno: ENODEV)
        }
        path = ByteString("/dev/\(device.node)")
        do {
            try requireOurs()
        } catch {
            remove()
            throw error
        }
    }

    /// Why the kernel does not take a table; nil if it does. Loads it without using it.
    package func problem(with table: String) throws -> String? {
        let outcome = try FilesystemTool.outcome(
            of: [Self.program, "reload", name, "--table", table], [], package: Self.package)
        try FilesystemTool.run([Self.program, "clear"] + Self.options + [name], [], package: Self.package)
        return outcome.isSuccess ? nil : outcome.said
    }

    /// From now on it has this table.
    package func change(to table: String) throws {
        try FilesystemTool.run(
            [Self.program, "suspend", "--noflush", "--nolockfs"] + Self.options + [name], [], package: Self.package)
        let reload = try FilesystemTool.outcome(
            of: [Self.program, "reload", name, "--table", table], [], package: Self.package)
        // A device that stays suspended would hold everything that uses it.
        try FilesystemTool.run([Self.program, "resume"] + Self.options + [name], [], package: Self.package)
        guard reload.isSuccess else {
            throw BlockError.toolFailed(
                [Self.program, "reload", name, "--table", table], ending: reload.ending, said: reload.said)
        }
    }

    /// What its target says of itself.
    func status() throws -> String {
        try FilesystemTool.outcome(of: [Self.program, "status", name], [], package: Self.package).said
    }

    /// Sends a message to the target of its table: words with blanks between. Thread safe.
    package func send(_ message: String) throws(Errno) {
        let result = faultline_device_mapper_message(name, message)
        guard result == 0 else { throw Errno(-result) }
    }

    package func requireOurs() throws(BlockError) {
        for device in lower { try device.requireOurs() }
        let found = DeviceMapper.devices().first { $0.name == name }?.lower ?? []
        guard found == lower.map(\.nodeName).sorted() else {
            throw .notOurs(
                device: path, expected: lower[0].path, found: found.first.map { ByteString("/dev/\($0)") })
        }
    }

    /// Drops what the kernel remembers of the device: it must be read again. Nothing may have it mounted.
    package func dropCache() throws(BlockError) {
        let descriptor = path.withCString { open($0, O_RDWR | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        let result = faultline_drop_device_cache(descriptor)
        guard result == 0 else { throw .system(call: "BLKFLSBUF", path: path, errno: -result) }
    }

    /// Waits until the device has, durably, what was written to it.
    package func flush() throws(BlockError) {
        let descriptor = path.withCString { open($0, O_RDWR | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(call: "fsync", path: path, errno: errno) }
    }

    /// Waits until nothing has it mounted any more. False when something still has after the time.
    package func waitUntilFree(milliseconds: Int = 10_000) -> Bool {
        for _ in 0..<max(1, milliseconds / 5) {
            let descriptor = path.withCString { open($0, O_RDONLY | O_EXCL | O_CLOEXEC) }
            if descriptor >= 0 {
                close(descriptor)
                return true
            }
            usleep(5000)
        }
        return false
    }

    /// Takes it away; the devices below it stay. What still uses it gets errors from now on.
    package func remove() {
        guard isThere else { return }
        isThere = false
        DeviceMapper.remove(name)
    }

    deinit { remove() }
}
