import Bytes
import Glibc

/// Detects a full filesystem.
package enum FreeSpace {
    private static let leastBytes: UInt64 = 1 << 20

    /// Throws ENOSPC if the filesystem of `directory` has less than 1 MiB or no inode left. Call it after a failure: a
    /// store that fails because *our* filesystem is full has no bug.
    ///
    /// - Parameter doing: the failed action, for the message.
    package static func require(in directory: ByteString, doing: String) throws(TreeError) {
        var space = statvfs()
        guard directory.withCString({ statvfs($0, &space) }) == 0 else { return }
        let freeBytes = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        guard freeBytes < leastBytes || space.f_files > 0 && space.f_favail == 0 else { return }
        throw .system(call: "\(doing) (this filesystem is full)", path: directory, errno: ENOSPC)
    }
}
