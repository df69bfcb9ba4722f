import Bytes
import CPlatform
import Glibc
import Platform

/// A disk of a virtual machine whose writes the machine's host logs (QEMU's blklogwrites). Its last sectors are for marks:
/// the log has a write to them at its place among the others.
///
/// The filesystem gets the part before the marks, by dm-linear. A mark is a write and no flush: it makes nothing durable.
/// Thread safe.
package final class LoggedDisk: BlockDevice, @unchecked Sendable {
    package let path: ByteString
    private let serial: String
    private let marks: SharedDescriptor
    private let sizeBytes: UInt64

    /// How much of the disk is for marks.
    package static let markBytes: UInt64 = 4096
    private static let root = "/sys/block"

    /// Finds the disk with this serial number, which the host has given to it.
    ///
    /// - Parameter sizeBytes: of the part for the filesystem.
    package init(serial: String, sizeBytes: UInt64) throws {
        let names = (0..<26).map { "vd\(Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8($0))))" }
        guard let name = names.first(where: { Self.serial(of: $0) == serial }) else {
            throw BlockError.noDisk(serial: serial)
        }
        (self.serial, self.sizeBytes) = (serial, sizeBytes)
        path = ByteString("/dev/\(name)")
        let number = path.withCString { faultline_open_direct($0) }
        guard number >= 0 else { throw BlockError.system(call: "open", path: path, errno: -number) }
        marks = SharedDescriptor(adopting: number)
    }

    /// On the host: makes a sparse file of zeros for such a disk, or for its log.
    package static func makeFile(_ path: ByteString, sizeBytes: UInt64) throws {
        _ = try ImageFile(creating: path, sizeBytes: sizeBytes)
    }

    package func requireOurs() throws(BlockError) {
        let found = Self.serial(of: nodeName)
        guard found == serial else {
            throw .notOurs(device: path, expected: ByteString(serial), found: found.map { ByteString($0) })
        }
    }

    /// The part for the filesystem.
    package func filesystemPart(named name: String) throws -> MappedDevice {
        try MappedDevice(
            named: name, over: [self], table: "0 \(sizeBytes / MappedDevice.sectorBytes) linear \(path) 0")
    }

    /// Puts a mark into the log. Returns once the host has it.
    package func mark(_ text: String) throws(Errno) {
        var bytes = Array(text.utf8)
        bytes += [UInt8](repeating: 0, count: Int(Self.markBytes) - bytes.count)
        let result = faultline_write_direct(marks.rawValue, bytes, bytes.count, Int64(sizeBytes))
        guard result == 0 else { throw Errno(-result) }
    }

    /// Makes a filesystem on a part of the disk. Nothing else is ever made into one here.
    package func makeFilesystem(_ filesystem: BlockFilesystem, sectorBytes: UInt32, on part: MappedDevice) throws {
        try requireOurs()
        try part.requireOurs()
        try FilesystemTool.run(
            filesystem.makeWords(sectorBytes: sectorBytes), [part.path], package: filesystem.package)
    }

    private static func serial(of name: String) -> String? {
        let descriptor = open("\(root)/\(name)/serial", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)].prefix { $0 > 32 }, as: UTF8.self)
    }
}
