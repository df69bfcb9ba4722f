import Bytes

/// Why base records do not form a tree.
public enum BaseTreeError: Error, Hashable, Sendable {
    /// An inode is described twice.
    case duplicateInode(InodeID)
    /// A record refers to an inode without a node record, or gives content to an inode that is not a file.
    case unknownInode(InodeID)
    case notADirectory(InodeID)
    /// A name that its directory already has, or a second name of a directory.
    case duplicateName(DirectoryEntry)
    /// A `user.` attribute of an inode that is neither a file nor a directory.
    case userAttribute(InodeID, name: ByteString)
    /// A size of an inode that is not a regular file.
    case sizeOfNonFile(InodeID)
    /// Content that ends beyond the file's size, or overlaps earlier content.
    case misplacedContent(InodeID, offsetBytes: UInt64)
    /// A directory that lies within itself.
    case directoryCycle(InodeID)
}

extension BaseTreeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .duplicateInode(let inode): "the base tree describes \(inode) twice"
        case .unknownInode(let inode): "the base tree has no file \(inode)"
        case .notADirectory(let inode): "in the base tree \(inode) is not a directory"
        case .duplicateName(let entry):
            "the base tree has a second name '\(entry.name)' in \(entry.directory), or for a directory"
        case .userAttribute(let inode, let name):
            "the base tree gives '\(name)' to \(inode); only files and directories have such attributes"
        case .sizeOfNonFile(let inode): "in the base tree \(inode) has a size, but is not a regular file"
        case .misplacedContent(let inode, let offset):
            "in the base tree the content of \(inode) at byte \(offset) ends beyond the file, or overlaps earlier content"
        case .directoryCycle(let inode): "in the base tree the directory \(inode) lies within itself"
        }
    }
}
