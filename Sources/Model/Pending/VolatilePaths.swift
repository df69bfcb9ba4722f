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
        ByteString(entries(to: entry).map(\.name.bytes).joined(separator: [UInt8(ascii: "/")]))
    }

    /// The name that the effect gives or takes, or else the file that it changes.
    func path(_ effect: Effect) -> ByteString {
        if case .name(let entry, _) = effect { path(entry) } else { path(effect.inode) }
    }

    /// The entries from the root down to this one; a trace may lead in a circle, and no path is deeper than this.
    func entries(to entry: Entry) -> [Entry] {
        var entries = [entry]
        while let last = entries.last, last.directory != .root, let place = places[last.directory], entries.count < 4096
        {
            entries.append(place)
        }
        return entries.reversed()
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
