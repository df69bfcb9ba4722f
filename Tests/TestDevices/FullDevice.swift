import Glibc

/// /dev/full, where every write fails with ENOSPC. It may be missing: a root process that renames a file over it leaves
/// a regular file, which accepts writes.
public enum FullDevice {
    public static let path = "/dev/full"

    /// Whether it is character device 1:7 (Linux, Documentation/admin-guide/devices.txt).
    public static let isThere: Bool = {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else { return false }
        return status.st_rdev == makedev(1, 7)
    }()

    private static func makedev(_ major: UInt, _ minor: UInt) -> dev_t { dev_t(major << 8 | minor) }

    /// Why tests are skipped without it.
    public static let absence = "/dev/full is not the device that refuses writes; as root: mknod -m 666 /dev/full c 1 7"
}
