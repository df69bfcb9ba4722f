import Bytes

/// Where running programs see each inode of a tree; inodes without a name are where they last were.
struct VolatilePaths {
    /// By the name that is preferred of several.
    let places: [InodeID: Entry]

    /// `inode 7` for one that never had a name; `.` for the root.
    func path(_ inode: InodeID) -> ByteString {
        if inode == .root { return "." }
        return places[inode].map(path) ?? ByteString("\(inode)")
    }

    func path(_ entry: Entry) -> ByteString {
        var path = PathFromEnd()
        climb(from: entry) { entry in
            path.prepend(entry.name)
            return !path.isFull
        }
        return path.path
    }

    /// The name that the effect gives or takes, or else the file that it changes.
    func path(_ effect: Effect) -> ByteString {
        if case .name(let entry, _) = effect { path(entry) } else { path(effect.inode) }
    }

    /// The entries from the root down to this one, as many as a path can have.
    func entries(to entry: Entry) -> [Entry] {
        var entries: [Entry] = []
        var countBytes = 0
        climb(from: entry) { entry in
            entries.append(entry)
            countBytes += entry.name.count + 1
            return countBytes <= 4096
        }
        return entries.reversed()
    }

    /// Visits the entry and those above it, until `visit` answers no; a trace may lead in a circle.
    private func climb(from entry: Entry, _ visit: (Entry) -> Bool) {
        var next: Entry? = entry
        while let entry = next, visit(entry) { next = entry.directory == .root ? nil : places[entry.directory] }
    }
}

extension PendingSet {
    func volatilePaths() -> VolatilePaths {
        var places: [InodeID: Entry] = [:]
        // Of several names the first in order, whatever order a dictionary has: the same state is told in the same words.
        func prefer(_ entry: Entry, _ child: InodeID, in places: inout [InodeID: Entry]) {
            if let known = places[child],
                (known.directory.rawValue, known.name) <= (entry.directory.rawValue, entry.name)
            {
                return
            }
            places[child] = entry
        }
        for (inode, node) in durable.nodes {
            for (name, child) in node.entries { prefer(Entry(inode, name), child, in: &places) }
        }
        for part in pendingEffects() {
            if case .name(let entry, let child?) = part.effect { places[child] = entry }
        }
        var present: [InodeID: Entry] = [:]
        for (entry, child) in names { prefer(entry, child, in: &present) }
        places.merge(present) { _, present in present }
        return VolatilePaths(places: places)
    }
}
