import Bytes

/// The path of each inode as running programs see it. An inode without a name keeps its last path.
struct VolatilePaths {
    /// One name for each inode. Of several names it is the first in order.
    let entries: [InodeID: DirectoryEntry]

    /// The path of an inode: `.` for the root, `inode 7` for one that never had a name.
    func path(_ inode: InodeID) -> ByteString {
        if inode == .root { return "." }
        return entries[inode].map(path) ?? ByteString("\(inode)")
    }

    func path(_ entry: DirectoryEntry) -> ByteString {
        var path = PathFromEnd()
        climb(from: entry) { entry in
            path.prepend(entry.name)
            return !path.isFull
        }
        return path.path
    }

    /// The path of the name or file that the effect changes.
    func path(_ effect: Effect) -> ByteString {
        if case .name(let entry, _) = effect { path(entry) } else { path(effect.inode) }
    }

    /// The entries from the root down to this one. Stops at 4096 bytes, the longest path.
    func entries(to entry: DirectoryEntry) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        var countBytes = 0
        climb(from: entry) { entry in
            entries.append(entry)
            countBytes += entry.name.count + 1
            return countBytes <= 4096
        }
        return entries.reversed()
    }

    /// Visits the entry and its ancestors until `visit` returns false. Entries of a damaged trace can form a cycle.
    private func climb(from entry: DirectoryEntry, _ visit: (DirectoryEntry) -> Bool) {
        var next: DirectoryEntry? = entry
        while let entry = next, visit(entry) { next = entry.directory == .root ? nil : entries[entry.directory] }
    }
}

extension PendingSet {
    func volatilePaths() -> VolatilePaths {
        var entries: [InodeID: DirectoryEntry] = [:]
        // The first name in order, not in dictionary order, so that equal states have equal descriptions.
        func prefer(_ entry: DirectoryEntry, _ child: InodeID, in entries: inout [InodeID: DirectoryEntry]) {
            if let known = entries[child],
                (known.directory.rawValue, known.name) <= (entry.directory.rawValue, entry.name)
            {
                return
            }
            entries[child] = entry
        }
        for (inode, node) in durable.nodes {
            for (name, child) in node.entries { prefer(DirectoryEntry(inode, name), child, in: &entries) }
        }
        for pending in pendingEffects() {
            if case .name(let entry, let child?) = pending.effect { entries[child] = entry }
        }
        var present: [InodeID: DirectoryEntry] = [:]
        for (entry, child) in names { prefer(entry, child, in: &present) }
        entries.merge(present) { _, present in present }
        return VolatilePaths(entries: entries)
    }
}
