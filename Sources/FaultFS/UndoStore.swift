import Glibc
import Model

/// Keeps what the tree held when it was mounted and is about to be overwritten or cut off.
final class UndoStore: @unchecked Sendable {
    private let lock = Lock()
    private var nextBase = UInt64(1) << 62

    /// The name of a file's content as it was when the tree was mounted.
    func base(of inode: InodeID, sizeBytes: UInt64) -> Payload {
        lock.withLock {
            defer { nextBase += sizeBytes }
            return Payload(offsetBytes: nextBase, countBytes: sizeBytes)
        }
    }

    func keepRange(of node: Inode, _ descriptor: Descriptor, _ offset: Int64, _ length: Int64) throws(Errno) {}
    func keepTail(of node: Inode, _ path: Descriptor, from offset: Int64, sizeBytes: Int64) throws(Errno) {}
}
