import Bytes
import Model

/// The directory beneath the backing directory in which inodes wait whose last unlink is not durable yet.
enum Limbo {
    /// A file up to this size costs less to write again than to keep.
    static let smallBytes: UInt64 = 64 << 10

    /// The name that an inode has there.
    static func name(of id: InodeID) -> ByteString { ByteString(String(id.rawValue)) }
}
