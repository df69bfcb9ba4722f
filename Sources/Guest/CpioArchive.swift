import Bytes

/// An archive in the format `newc` of cpio, which the kernel unpacks as its first filesystem (Documentation/driver-api/
/// early-userspace/buffer-format.rst).
///
/// Equal entries give equal bytes: every file belongs to root and has the time 0. A directory comes before what is in it.
struct CpioArchive {
    private(set) var bytes: [UInt8] = []
    private var count: UInt32 = 0

    private static let (directory, regular, link, device): (UInt32, UInt32, UInt32, UInt32) =
        (0o040000, 0o100000, 0o120000, 0o020000)

    mutating func add(directory path: String) { add(path, Self.directory | 0o755, []) }

    mutating func add(file path: String, _ content: [UInt8], isExecutable: Bool = false) {
        add(path, Self.regular | (isExecutable ? 0o755 : 0o644), content)
    }

    mutating func add(link path: String, to target: String) { add(path, Self.link | 0o777, Array(target.utf8)) }

    mutating func add(characterDevice path: String, major: UInt32, minor: UInt32) {
        add(path, Self.device | 0o600, [], device: (major, minor))
    }

    /// The whole archive. Nothing can be added to it.
    func ended() -> [UInt8] {
        var archive = self
        archive.add("TRAILER!!!", 0, [])
        return archive.bytes
    }

    private mutating func add(
        _ path: String, _ mode: UInt32, _ content: [UInt8], device: (major: UInt32, minor: UInt32) = (0, 0)
    ) {
        count += 1
        bytes += Array("070701".utf8)
        let name = Array(path.utf8) + [0]
        // Inode, mode, owner, group, links, time, size, device, device of a node, length of the name, checksum.
        for field in [
            count, mode, 0, 0, 1, 0, UInt32(content.count), 0, 0, device.major, device.minor, UInt32(name.count), 0,
        ] {
            let digits = Array(String(field, radix: 16).utf8)
            bytes += [UInt8](repeating: UInt8(ascii: "0"), count: 8 - digits.count) + digits
        }
        bytes += name
        pad()
        bytes += content
        pad()
    }

    private mutating func pad() {
        bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }
}
