import Bytes

/// What no storage does: why an event cannot follow those before it, in a trace whose checksums are right.
public enum IllegalEvent: Error, Hashable, Sendable {
    /// An operation or a barrier had the id before.
    case idTwice(OperationID)
    /// A new inode with the number of one that was there.
    case inodeTwice(InodeID)
    case unknownInode(InodeID)
    /// Data, a size or an allocation of what has none.
    case notAFile(InodeID)
    /// A name in what is no directory.
    case notADirectory(InodeID)
    /// A name in a directory that was removed.
    case removedDirectory(InodeID)
    case nameMissing(Entry)
    case nameTaken(Entry)
    /// A second name of a directory.
    case linkToDirectory(InodeID)
    case directoryNotEmpty(Entry)
    /// A directory renamed over a file.
    case directoryOverFile(Entry)
    /// A file renamed over a directory.
    case fileOverDirectory(Entry)
    /// A directory renamed to a place within itself.
    case intoItself(Entry)
    /// Two names of one inode: rename(2) changes nothing then.
    case renameToItself(Entry)
    case barrierNotBegun(OperationID)
    /// It was recorded as complete, or completed already, or was never there.
    case notInFlight(OperationID)
    /// A barrier for a write that was not there, or for what is no write.
    case unknownWrite(OperationID)
    /// One more piece of a write: the event before is no write by this thread that ends where this one begins.
    case pieceOfNothing(OperationID)
    /// A name for a file whose last one was removed: link(2) refuses that.
    case linkToRemoved(InodeID)
    /// An attribute is removed that the inode does not have.
    case attributeMissing(InodeID, name: ByteString)
    /// A `user.` attribute of what is neither a file nor a directory (xattr(7)).
    case userAttribute(InodeID, name: ByteString)
    /// Whether a directory comes to lie within itself could not be told in reasonable time.
    case tooDeep(Entry)
}

extension IllegalEvent: CustomStringConvertible {
    public var description: String {
        switch self {
        case .idTwice(let id): "\(id) was there before"
        case .inodeTwice(let inode): "\(inode) is created, and was there before"
        case .unknownInode(let inode): "there is no \(inode)"
        case .notAFile(let inode): "\(inode) is no regular file"
        case .notADirectory(let inode): "\(inode) is no directory"
        case .removedDirectory(let inode): "the directory \(inode) was removed"
        case .nameMissing(let entry): "there is no '\(entry.name)' in \(entry.directory)"
        case .nameTaken(let entry): "there is a '\(entry.name)' in \(entry.directory) already"
        case .linkToDirectory(let inode): "\(inode) is a directory, which has one name only"
        case .directoryNotEmpty(let entry): "the directory '\(entry.name)' in \(entry.directory) is not empty"
        case .directoryOverFile(let entry):
            "a directory is renamed to '\(entry.name)' in \(entry.directory), which is none"
        case .fileOverDirectory(let entry):
            "what is no directory is renamed to '\(entry.name)' in \(entry.directory), which is one"
        case .intoItself(let entry): "a directory is renamed to '\(entry.name)' in \(entry.directory), within itself"
        case .renameToItself(let entry):
            "a rename to '\(entry.name)' in \(entry.directory), which is a name of the same inode"
        case .barrierNotBegun(let id): "the barrier \(id) ends and is not under way"
        case .notInFlight(let id): "\(id) completes and is not in flight"
        case .unknownWrite(let id): "a barrier for the write \(id), and there was no such write"
        case .pieceOfNothing(let id):
            "\(id) is one more piece of a write, and the event before is no piece that it goes on from"
        case .linkToRemoved(let inode): "a name is given to \(inode), which has none any more"
        case .attributeMissing(let inode, let name): "the attribute '\(name)' of \(inode) is removed, and is not there"
        case .userAttribute(let inode, let name):
            "'\(name)' is given to \(inode); only files and directories have such attributes"
        case .tooDeep(let entry):
            "a directory is renamed to '\(entry.name)' in \(entry.directory), and lies too deep to be followed"
        }
    }
}
