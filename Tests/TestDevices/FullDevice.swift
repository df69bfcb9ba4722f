import Glibc

/// /dev/full, which refuses every write for want of space. Machines lose it: whoever renames a file over it as root leaves a
/// regular file there, which takes what is written.
public enum FullDevice {
    public static let path = "/dev/full"

    /// Whether the device is there: character device 1:7 (Linux, Documentation/admin-guide/devices.txt).
    public static let isThere: Bool = {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else { return false }
        return status.st_rdev == makedev(1, 7)
    }()

    private static func makedev(_ major: UInt, _ minor: UInt) -> dev_t { dev_t(major << 8 | minor) }

    /// Why tests are skipped without it.
    public static let absence = "/dev/full is not the device that refuses writes; as root: mknod -m 666 /dev/full c 1 7"
}
