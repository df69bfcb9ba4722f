import Bytes

extension Tree {
    /// The inodes that differ between the two trees or are in only one of them, in no particular order. Fast if one tree is
    /// a changed copy of the other, or both are copies of a third.
    package func inodesChanged(since old: Tree) -> [InodeID] {
        guard let known = history.inodes(changedSince: old.history) else { return nodes.keysChanged(since: old.nodes) }
        return known.filter { nodes[$0] != old.nodes[$0] }
    }
}

extension Node {
    /// The names that differ between two directories, in no particular order. Nil stands for an empty directory.
    package static func namesChanged(from old: Node?, to new: Node?) -> [ByteString] {
        (new?.entries ?? [:]).keysChanged(since: old?.entries ?? [:])
    }
}

extension Dictionary where Value: Equatable {
    /// The keys that differ in value or are in only one dictionary, in no particular order.
    ///
    /// Visits every key. If one dictionary is a copy of the other, most keys are in the same order and need no lookup.
    fileprivate func keysChanged(since old: Self) -> [Key] {
        var changed: [Key] = []
        var addedCount = 0
        var others = old.makeIterator()
        var isAligned = true
        for (key, value) in self {
            if isAligned, let other = others.next(), other.key == key {
                if other.value != value { changed.append(key) }
                continue
            }
            isAligned = false
            guard let before = old[key] else {
                addedCount += 1
                changed.append(key)
                continue
            }
            if before != value { changed.append(key) }
        }
        if count - addedCount < old.count { changed += old.keys.filter { self[$0] == nil } }
        return changed
    }
}
