import Bytes
import Model

/// The directory beneath the backing directory in which inodes wait whose last unlink is not durable yet.
enum Limbo {
    /// The name that an inode has there.
    static func name(of id: InodeID) -> ByteString { ByteString(String(id.rawValue)) }
}
