import Bytes
import Model

/// `.faultline/orphans` in the backing directory: it holds unlinked inodes until their unlink is durable. (ext4 keeps
/// "orphaned inodes" in a list for the same time.)
enum OrphanDirectory {
    /// A file up to this size is cheaper to rebuild from the trace than to keep.
    static let smallBytes: UInt64 = 64 << 10

    /// The name of an inode there.
    static func name(of id: InodeID) -> ByteString { ByteString(String(id.rawValue)) }
}
