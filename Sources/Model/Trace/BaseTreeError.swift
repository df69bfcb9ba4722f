import Bytes

/// Why base records do not describe a tree.
public enum BaseTreeError: Error, Hashable, Sendable {
    /// An inode is described twice.
    case twice(InodeID)
    /// A record speaks of an inode that was not described, or gives content to what is no file.
    case unknown(InodeID)
    case notADirectory(InodeID)
    /// A name that its directory has already, or another name of a directory.
    case nameTwice(Entry)
    /// A `user.` attribute of what is neither a file nor a directory.
    case userAttribute(InodeID, name: ByteString)
    /// A size of what is no regular file.
    case sized(InodeID)
    /// Content that ends beyond the file's size, or begins before the end of the content that came before.
    case contentMisplaced(InodeID, offsetBytes: UInt64)
    /// A directory that lies within itself.
    case withinItself(InodeID)
}

extension BaseTreeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .twice(let inode): "the base tree describes \(inode) twice"
        case .unknown(let inode): "the base tree has no file \(inode)"
        case .notADirectory(let inode): "in the base tree \(inode) is no directory"
        case .nameTwice(let entry):
            "the base tree has a second name '\(entry.name)' in \(entry.directory), or for a directory"
        case .userAttribute(let inode, let name):
            "the base tree gives '\(name)' to \(inode); only files and directories have such attributes"
        case .sized(let inode): "in the base tree \(inode) has a size, and is no regular file"
        case .contentMisplaced(let inode, let offset):
            "in the base tree the content of \(inode) at byte \(offset) ends beyond the file, or overlaps what came before"
        case .withinItself(let inode): "in the base tree the directory \(inode) lies within itself"
        }
    }
}
