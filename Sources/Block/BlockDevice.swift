import Bytes

/// A block device of ours that can be mounted.
package protocol BlockDevice: AnyObject {
    /// Its node in /dev.
    var path: ByteString { get }
    /// Throws unless sysfs says that our file lies behind it. Asked before anything is mounted or written.
    func requireOurs() throws(BlockError)
}

extension BlockDevice {
    /// The kernel's name for it: `loop0`.
    var nodeName: String { String(decoding: path.bytes.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self) }
}

extension LoopDevice: BlockDevice {}
