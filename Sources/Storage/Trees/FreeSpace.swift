import Bytes
import Glibc

/// Room on a filesystem.
package enum FreeSpace {
    private static let leastBytes: UInt64 = 1 << 20

    /// A store that fails because *our* filesystem is full says nothing about the store: asked after a failure, this
    /// throws ENOSPC if less than a mebibyte, or no file, is left where `directory` is.
    ///
    /// - Parameter doing: what failed, for the message.
    package static func require(in directory: ByteString, doing: String) throws(TreeError) {
        var space = statvfs()
        guard directory.withCString({ statvfs($0, &space) }) == 0 else { return }
        let freeBytes = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        guard freeBytes < leastBytes || space.f_files > 0 && space.f_favail == 0 else { return }
        throw .system(call: "\(doing) (this filesystem is full)", path: directory, errno: ENOSPC)
    }
}
