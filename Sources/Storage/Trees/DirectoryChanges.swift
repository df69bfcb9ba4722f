import Bytes
import Glibc
import Model

/// The changes in a set of directories, which are identified by their inodes in a tree.
struct DirectoryChanges {
    /// Names that were added, removed or replaced, or whose file was changed.
    var names: [InodeID: Set<ByteString>] = [:]
    /// Directories whose own attributes changed.
    var attributes: Set<InodeID> = []
    /// Names that were created and still exist.
    private(set) var made: Set<DirectoryEntry> = []
    /// Whether a created name was removed again, or could not be seen because its directory is not watched. It may have been
    /// a hard link, through which any file could have been changed.
    private(set) var mayHaveLinked = false
    private var moving: (cookie: UInt32, entry: DirectoryEntry)?

    /// Takes an event of inotify(7).
    mutating func take(_ directory: InodeID, _ name: ByteString?, mask: UInt32, cookie: UInt32) {
        func has(_ event: Int32) -> Bool { mask & UInt32(event) != 0 }
        guard let name else {
            if has(IN_ATTRIB) { attributes.insert(directory) }
            return
        }
        names[directory, default: []].insert(name)
        let entry = DirectoryEntry(directory, name)
        if has(IN_CREATE) {
            made.insert(entry)
            // The new directory is not watched.
            if has(IN_ISDIR) { mayHaveLinked = true }
        } else if has(IN_MOVED_FROM) {
            if made.remove(entry) != nil {
                // The next event has the new name.
                mayHaveLinked = mayHaveLinked || moving != nil
                moving = (cookie, entry)
            }
        } else if has(IN_MOVED_TO) {
            if made.contains(entry) || has(IN_ISDIR) { mayHaveLinked = true }
            if moving?.cookie == cookie { moving = nil }
            made.insert(entry)
        } else if has(IN_DELETE), made.remove(entry) != nil {
            mayHaveLinked = true
        }
    }

    /// Call after the last event.
    mutating func finish() {
        if moving != nil { mayHaveLinked = true }
    }
}
