import Bytes

/// A block device of ours that can be mounted.
package protocol BlockDevice: AnyObject {
    /// Its node in /dev.
    var path: ByteString { get }
    /// Throws unless sysfs says that our file lies behind it. Asked before anything is mounted or written.
    func requireOurs() throws(BlockError)
}

extension LoopDevice: BlockDevice {}
