/// Why base records do not describe a tree.
public enum BaseTreeError: Error, Hashable, Sendable {
    /// An inode is described twice.
    case twice(InodeID)
    /// A record speaks of an inode that was not described, or gives content to what is no file.
    case unknown(InodeID)
    case notADirectory(InodeID)
    /// A name that its directory has already, or another name of a directory.
    case nameTwice(Entry)
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
        case .withinItself(let inode): "in the base tree the directory \(inode) lies within itself"
        }
    }
}
