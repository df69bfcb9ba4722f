import Bytes
import CPlatform
import Glibc
import Platform

/// A device-mapper device of ours over other devices of ours.
///
/// A change of its table is atomic for the filesystem on it: requests that came before it are answered by the old table,
/// later ones by the new one. No filesystem is frozen, and nothing is flushed, as with a disk that fails.
///
/// Its name begins with that of the run's scratch directory, so that `cleanup` knows whose it is. One thread at a time, but
/// for `send`.
package final class MappedDevice: BlockDevice, @unchecked Sendable {
    /// `/dev/dm-N`: the kernel makes this node, whether udev runs or not.
    package let path: ByteString
    package let name: String
    private let lower: [any BlockDevice]
    private var isThere = true

    static let sectorBytes: UInt64 = 512

    /// Makes the device.
    ///
    /// - Parameters:
    ///   - name: unique, and beginning with the name of the scratch directory that the files of `lower` are in.
    ///   - lower: the devices that the table names.
    package init(named name: String, over lower: [any BlockDevice], table: String) throws {
        (self.name, self.lower) = (name, lower)
        for device in lower { try device.requireOurs() }
        let number = faultline_device_mapper_create(name)
        guard number >= 0 else { throw Self.failure("DM_DEV_CREATE", name, number) }
        path = ByteString("/dev/dm-\(number)")
        do {
            try load(table)
            try resume()
            try requireOurs()
        } catch {
            remove()
            throw error
        }
    }

    /// Why the kernel does not take a table; nil if it does. Loads it without using it.
    package func problem(with table: String) throws(BlockError) -> String? {
        do throws(BlockError) { try load(table) } catch { return "\(error)" }
        try check("DM_TABLE_CLEAR", faultline_device_mapper_clear(name))
        return nil
    }

    /// From now on it has this table.
    package func change(to table: String) throws(BlockError) {
        try check("DM_DEV_SUSPEND", faultline_device_mapper_suspend(name))
        var problem: BlockError?
        do throws(BlockError) { try load(table) } catch { problem = error }
        // A device that stays suspended would hold everything that uses it.
        try resume()
        if let problem { throw problem }
    }

    /// What its target says of itself.
    func status() throws(BlockError) -> String {
        var text = [CChar](repeating: 0, count: 4096)
        try check("DM_TABLE_STATUS", faultline_device_mapper_status(name, &text, text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// - Parameter table: `START COUNT TARGET PARAMETERS`, in sectors.
    private func load(_ table: String) throws(BlockError) {
        let words = table.split(separator: " ", maxSplits: 3).map(String.init)
        var result = -EINVAL
        if words.count > 2, let start = UInt64(words[0]), let count = UInt64(words[1]) {
            result = faultline_device_mapper_load(name, start, count, words[2], words.count > 3 ? words[3] : "")
        }
        try check("loading the table \(table)", result)
    }

    private func resume() throws(BlockError) { try check("DM_DEV_SUSPEND", faultline_device_mapper_resume(name)) }

    private func check(_ call: String, _ result: Int32) throws(BlockError) {
        guard result == 0 else { throw Self.failure(call, name, result) }
    }

    private static func failure(_ call: String, _ name: String, _ result: Int32) -> BlockError {
        .system(call: call, path: ByteString("/dev/mapper/control: \(name)"), errno: -result)
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
