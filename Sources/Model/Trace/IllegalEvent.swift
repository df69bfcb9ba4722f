import Bytes

/// Why an event cannot follow the previous ones, in a trace with correct checksums.
public enum IllegalEvent: Error, Hashable, Sendable {
    /// An operation or a barrier already has this id.
    case duplicateID(OperationID)
    /// A created inode has the number of an earlier one.
    case duplicateInode(InodeID)
    case unknownInode(InodeID)
    /// A write, truncate or allocation of an inode that is not a regular file.
    case notAFile(InodeID)
    /// A name in an inode that is not a directory.
    case notADirectory(InodeID)
    /// A name in a directory that was removed.
    case removedDirectory(InodeID)
    case nameMissing(DirectoryEntry)
    case nameTaken(DirectoryEntry)
    /// A second name of a directory.
    case linkToDirectory(InodeID)
    case directoryNotEmpty(DirectoryEntry)
    /// A directory renamed over a file.
    case directoryOverFile(DirectoryEntry)
    /// A file renamed over a directory.
    case fileOverDirectory(DirectoryEntry)
    /// A directory renamed into itself.
    case intoOwnSubtree(DirectoryEntry)
    /// A rename between two names of one inode, for which rename(2) changes nothing.
    case renameToItself(DirectoryEntry)
    case barrierNotBegun(OperationID)
    /// The operation was recorded as complete, has already completed, or does not exist.
    case notInFlight(OperationID)
    /// A FUA barrier for an operation that does not exist or is not a write.
    case unknownWrite(OperationID)
    /// A further piece of a write that does not continue the previous event: a write by the same thread that ends where the
    /// piece begins.
    case unmatchedPiece(OperationID)
    /// A new name for a file without names, which link(2) refuses.
    case linkToUnlinked(InodeID)
    /// The removal of an attribute that the inode does not have.
    case attributeMissing(InodeID, name: ByteString)
    /// A `user.` attribute of an inode that is neither a file nor a directory (xattr(7)).
    case userAttribute(InodeID, name: ByteString)
    /// A directory is nested too deep to check in reasonable time that it is not renamed into itself.
    case tooDeep(DirectoryEntry)
}

extension IllegalEvent: CustomStringConvertible {
    public var description: String {
        switch self {
        case .duplicateID(let id): "\(id) is recorded twice"
        case .duplicateInode(let inode): "\(inode) is created, but already exists"
        case .unknownInode(let inode): "there is no \(inode)"
        case .notAFile(let inode): "\(inode) is not a regular file"
        case .notADirectory(let inode): "\(inode) is not a directory"
        case .removedDirectory(let inode): "the directory \(inode) was removed"
        case .nameMissing(let entry): "there is no '\(entry.name)' in \(entry.directory)"
        case .nameTaken(let entry): "'\(entry.name)' already exists in \(entry.directory)"
        case .linkToDirectory(let inode): "\(inode) is a directory, which cannot have a second name"
        case .directoryNotEmpty(let entry): "the directory '\(entry.name)' in \(entry.directory) is not empty"
        case .directoryOverFile(let entry):
            "a directory is renamed to '\(entry.name)' in \(entry.directory), which is a file"
        case .fileOverDirectory(let entry):
            "a file is renamed to '\(entry.name)' in \(entry.directory), which is a directory"
        case .intoOwnSubtree(let entry):
            "a directory is renamed to '\(entry.name)' in \(entry.directory), within itself"
        case .renameToItself(let entry):
            "a rename to '\(entry.name)' in \(entry.directory), which is a name of the same inode"
        case .barrierNotBegun(let id): "the barrier \(id) ends, but has not begun"
        case .notInFlight(let id): "\(id) completes, but is not in flight"
        case .unknownWrite(let id): "a barrier for the write \(id), but there is no such write"
        case .unmatchedPiece(let id):
            "\(id) is a further piece of a write, but does not continue the previous event"
        case .linkToUnlinked(let inode): "a link to \(inode), which has no name left"
        case .attributeMissing(let inode, let name):
            "the attribute '\(name)' of \(inode) is removed, but does not exist"
        case .userAttribute(let inode, let name):
            "'\(name)' is given to \(inode); only files and directories have such attributes"
        case .tooDeep(let entry):
            "a directory is renamed to '\(entry.name)' in \(entry.directory), which is nested too deep to check"
        }
    }
}
