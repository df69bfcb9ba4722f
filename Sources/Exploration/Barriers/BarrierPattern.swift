import Bytes
import Model

/// The barriers of a run that are alike: the same call on files with the same name pattern.
package struct BarrierPattern: Hashable, Codable, Sendable {
    package enum Call: String, Codable, Sendable {
        case fsync, fdatasync
        /// sync(2), or a flush of a block device.
        case flush
        case forceUnitAccess = "force-unit-access"
    }

    package var call: Call
    /// The path of the file or directory, relative to the store; nil for a call that names none. `.` is the store itself.
    package var path: TextPattern?

    package init(_ call: Call, _ path: TextPattern?) { (self.call, self.path) = (call, path) }

    init(_ barrier: Barrier, _ names: InodeNames) {
        switch barrier {
        case .fsync(let inode): self.init(.fsync, names.pattern(inode))
        case .fdatasync(let inode): self.init(.fdatasync, names.pattern(inode))
        case .flush: self.init(.flush, nil)
        case .forceUnitAccess: self.init(.forceUnitAccess, nil)
        }
    }
}

extension InodeNames {
    /// The pattern of the inode's path, relative to the store.
    fileprivate func pattern(_ inode: InodeID) -> TextPattern {
        let path = path(inode).bytes.dropFirst()
        return path.isEmpty ? TextPattern(of: ".") : TextPattern(of: ByteString(Array(path)))
    }
}
