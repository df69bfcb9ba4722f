import Bytes
import CPlatform
import Glibc
import Platform

/// A device-mapper device of ours over a loop device of ours, which works until it is made to fail by dm-flakey.
///
/// dmsetup(8) changes its table. A change is atomic for the filesystem on it: requests that came before it are answered by
/// the old table, later ones by the new one. No filesystem is frozen, and nothing is flushed, as with a disk that fails.
///
/// Its name begins with that of the run's scratch directory, so that `cleanup` knows whose it is. One
/// thread at a time.
package final class FlakeyDevice: BlockDevice {
    /// `/dev/dm-N`: the kernel makes this node, whether udev runs or not.
    package let path: ByteString
    package let name: String
    private let lower: LoopDevice
    private let sectorCount: UInt64
    private var isThere = true

    private static let (program, package) = ("dmsetup", "dmsetup")
    /// No udev daemon is waited for.
    private static let options = ["--noudevsync", "--noudevrules"]
    private static let sectorBytes: UInt64 = 512
    /// So long it fails, or works, before the kernel would look again.
    private static let intervalSeconds = 86_400

    /// Makes the device; it works.
    ///
    /// - Parameter name: unique, and beginning with the name of the scratch directory that `lower`'s file is in.
    package init(named name: String, over lower: LoopDevice, sizeBytes: UInt64) throws {
        (self.name, self.lower) = (name, lower)
        sectorCount = sizeBytes / Self.sectorBytes
        try lower.requireOurs()
        let table = Self.table(sectorCount, over: lower.path, nil)
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

    /// `0 131072 flakey /dev/loop0 0 0 86400 1 error_writes`
    static func table(_ sectorCount: UInt64, over device: ByteString, _ fault: FlakeyFault?) -> String {
        let (up, down) = fault == nil ? (intervalSeconds, 0) : (0, intervalSeconds)
        return "0 \(sectorCount) flakey \(device) 0 \(up) \(down) \(fault?.features ?? "0")"
    }

    /// Why the kernel does not take a fault; nil if it does. Loads a table without using it.
    package func problem(with fault: FlakeyFault) throws -> String? {
        let outcome = try FilesystemTool.outcome(
            of: [Self.program, "reload", name, "--table", Self.table(sectorCount, over: lower.path, fault)], [],
            package: Self.package)
        try FilesystemTool.run([Self.program, "clear"] + Self.options + [name], [], package: Self.package)
        return outcome.isSuccess ? nil : outcome.said
    }

    /// From now on it fails in this way; with nil it works again.
    package func change(to fault: FlakeyFault?) throws {
        let table = Self.table(sectorCount, over: lower.path, fault)
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

    package func requireOurs() throws(BlockError) {
        try lower.requireOurs()
        let found = DeviceMapper.devices().first { $0.name == name }?.lower ?? []
        guard found == ["loop\(lower.number)"] else {
            throw .notOurs(
                device: path, expected: lower.path,
                found: found.first.map { ByteString("/dev/\($0)") })
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

    /// Takes it away; the loop device stays. What still uses it gets errors from now on.
    package func remove() {
        guard isThere else { return }
        isThere = false
        DeviceMapper.remove(name)
    }

    deinit { remove() }
}
