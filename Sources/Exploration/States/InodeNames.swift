import Bytes
import Model

/// The names of the inodes of a trace, followed event by event: paths for people instead of inode numbers.
///
/// Two traces of the same workload give the same paths, whatever their inode numbers.
package struct InodeNames: Sendable {
    private var inodes: [DirectoryEntry: InodeID] = [:]
    private var histories: [InodeID: NameHistory] = [:]

    /// The names of an inode.
    private struct NameHistory: Sendable {
        /// The names, newest last. The last one is current; earlier ones may be outdated or duplicate. For an inode without
        /// names, the last name that it had.
        var entries: [DirectoryEntry] = []
        /// The number of current names.
        var nameCount = 0
    }

    package init() {}

    /// Reads the names of the base tree.
    package mutating func follow(_ base: BaseRecord) {
        if case .entry(let entry, let inode) = base { addName(entry, to: inode) }
    }

    /// Takes over what a change does to names.
    package mutating func follow(_ change: Change) {
        switch change {
        case .create(let inode, _, _, let entry), .link(let inode, let entry): addName(entry, to: inode)
        case .unlink(let entry): removeName(entry)
        case .rename(let from, let to, let mode):
            let (moved, replaced) = (inodes[from], inodes[to])
            removeName(from)
            removeName(to)
            if let moved { addName(to, to: moved) }
            if mode == .exchange, let replaced { addName(from, to: replaced) }
        case .write, .truncate, .allocate, .setAttributes, .setExtendedAttribute: break
        }
    }

    private mutating func addName(_ entry: DirectoryEntry, to inode: InodeID) {
        removeName(entry)
        inodes[entry] = inode
        var known = histories.removeValue(forKey: inode) ?? NameHistory()
        if known.nameCount == 0 { known.entries = [] }
        known.entries.append(entry)
        known.nameCount += 1
        if known.entries.count > 2 * known.nameCount + 8 {
            var seen: Set<DirectoryEntry> = []
            let newest = known.entries.reversed().filter { inodes[$0] == inode && seen.insert($0).inserted }
            known.entries = newest.reversed()
        }
        histories[inode] = known
    }

    private mutating func removeName(_ entry: DirectoryEntry) {
        guard let inode = inodes.removeValue(forKey: entry), var known = histories.removeValue(forKey: inode) else {
            return
        }
        known.nameCount -= 1
        if known.nameCount == 0 { known.entries = [entry] }
        while known.nameCount > 0, let last = known.entries.last, inodes[last] != inode { known.entries.removeLast() }
        histories[inode] = known
    }

    /// The inode that a name refers to; nil if there is no such name.
    package func inode(at entry: DirectoryEntry) -> InodeID? { inodes[entry] }

    // MARK: - Paths

    /// The path of a name, from the root of the tree: `/a/b`.
    package func path(_ entry: DirectoryEntry) -> ByteString {
        var path = PathFromEnd()
        path.prepend(entry.name)
        return self.path(beneath: entry.directory, path)
    }

    /// The path by the newest name of the inode, with "(gone)" after it if the inode has no name any more.
    package func path(_ inode: InodeID) -> ByteString {
        inode == .root ? "/" : path(beneath: inode, PathFromEnd())
    }

    /// Prepends the path of the inode to `path`.
    private func path(beneath inode: InodeID, _ path: PathFromEnd) -> ByteString {
        var path = path
        var suffix = isGone(inode) ? " (gone)" : ""
        var current = inode
        // Names in a trace may form a cycle; then the path becomes full.
        while current != .root, !path.isFull {
            guard let place = histories[current]?.entries.last else {
                path.prepend(ByteString("(\(current))"))
                break
            }
            path.prepend(ByteString(place.name.bytes + suffix.utf8))
            suffix = ""
            current = place.directory
        }
        return path.isFull ? path.path : ByteString([UInt8(ascii: "/")] + path.path.bytes)
    }

    private func isGone(_ inode: InodeID) -> Bool { histories[inode].map { $0.nameCount == 0 } ?? false }
}
