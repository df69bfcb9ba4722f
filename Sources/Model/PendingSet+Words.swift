import Bytes

extension PendingSet {
    /// What a crash could lose now, a line for each part, in trace order: `op 12: write a.db, bytes 4096-8192`.
    public func unsynced() -> [String] {
        let paths = volatilePaths()
        return pendingParts().map { part in
            "\(part.operation): \(words(part.effect, paths))" + (part.isUnsyncable ? " (its fsync failed)" : "")
        }
    }

    /// What a choice loses, a line for each part that is not whole.
    public func story(_ survivors: Survivors) -> [String] { losses(survivors).map(\.description) }

    /// What a choice loses: each part that is not whole, in trace order.
    public func losses(_ survivors: Survivors) -> [Loss] {
        let paths = volatilePaths()
        return zip(pendingParts(), survivors.fates).compactMap { part, fate in
            let extent: String?
            switch fate {
            case .kept: return nil
            case .lost: extent = nil
            case .size(let size): extent = "which stopped at \(size)"
            case .data(let kept):
                let lost = part.pendingBytes.subtracting(kept).ranges.map { "\($0.lowerBound)-\($0.upperBound)" }
                extent = "of which " + lost.joined(separator: ", ")
            }
            return Loss(
                operation: part.operation, effect: part.effect, isUnsyncable: part.isUnsyncable,
                what: words(part.effect, paths), extent: extent)
        }
    }

    /// Which kinds of operations a choice loses (some of), on which files, each once: `write #-#.log`, `removal of the
    /// name db-journal`. Digits in names read as `#`, so that what differs in a counter alone is one kind; the size that
    /// a write reached is that write's.
    public func lossKinds(_ survivors: Survivors) -> [String] {
        let paths = volatilePaths()
        var kinds: Set<String> = []
        for (part, fate) in zip(pendingParts(), survivors.fates) where fate != .kept {
            let what =
                if case .grow(let inode, _, _) = part.effect { "write \(paths[inode]?.description ?? "\(inode)")" } else
                {
                    words(part.effect, paths)
                }
            kinds.insert(PendingSet.withoutNumbers(what.prefix { $0 != "," }))
        }
        return kinds.sorted()
    }

    private static func withoutNumbers(_ text: Substring) -> String {
        var result = ""
        for character in text {
            if !character.isNumber { result.append(character) } else if result.last != "#" { result.append("#") }
        }
        return result
    }

    private func words(_ effect: Effect, _ paths: [InodeID: ByteString]) -> String {
        func path(_ inode: InodeID) -> String { paths[inode]?.description ?? "\(inode)" }
        switch effect {
        case .write(let inode, let offset, let data) where data.isZeros:
            return "zeros at an edge in \(path(inode)), bytes \(offset)-\(offset + data.countBytes)"
        case .write(let inode, let offset, let data):
            return "write \(path(inode)), bytes \(offset)-\(offset + data.countBytes)"
        case .zero(let inode, let range):
            return "zeros in \(path(inode)), bytes \(range.lowerBound)-\(range.upperBound)"
        case .grow(let inode, let from, let to): return "size of \(path(inode)), from \(from) to \(to)"
        case .resize(let inode, let to): return "size of \(path(inode)), set to \(to)"
        case .name(let entry, let inode):
            let name = Entry.path(entry, paths)
            return inode == nil ? "removal of the name \(name)" : "name \(name)"
        case .attributes(let inode, let attributes):
            return "mode and owner of \(path(inode)), mode \(String(attributes.mode, radix: 8))"
        case .extendedAttribute(let inode, let name, _): return "attribute \(name) of \(path(inode))"
        }
    }

    /// The path by which running programs see each inode; unlinked ones by their last durable or pending name.
    private func volatilePaths() -> [InodeID: ByteString] {
        var parents: [InodeID: Entry] = [:]
        // Of several names the first in order, whatever order a dictionary has: the same state is told in the same words.
        func prefer(_ entry: Entry, _ child: InodeID, in parents: inout [InodeID: Entry]) {
            if let known = parents[child],
                (known.directory.rawValue, known.name) <= (entry.directory.rawValue, entry.name)
            {
                return
            }
            parents[child] = entry
        }
        for (inode, node) in durable.nodes {
            for (name, child) in node.entries { prefer(Entry(inode, name), child, in: &parents) }
        }
        for part in pendingParts() {
            if case .name(let entry, let child?) = part.effect { parents[child] = entry }
        }
        var present: [InodeID: Entry] = [:]
        for (entry, child) in names { prefer(entry, child, in: &present) }
        parents.merge(present) { _, present in present }
        var paths: [InodeID: ByteString] = [.root: ""]
        for inode in parents.keys { paths[inode] = Entry.resolve(inode, parents) }
        return paths
    }
}

extension Entry {
    fileprivate static func path(_ entry: Entry, _ paths: [InodeID: ByteString]) -> ByteString {
        guard let directory = paths[entry.directory], !directory.isEmpty else { return entry.name }
        return ByteString(directory.bytes + [UInt8(ascii: "/")] + entry.name.bytes)
    }

    fileprivate static func resolve(_ inode: InodeID, _ parents: [InodeID: Entry]) -> ByteString {
        var names: [ByteString] = []
        var current = inode
        while current != .root, let entry = parents[current], names.count < 4096 {
            names.append(entry.name)
            current = entry.directory
        }
        return ByteString(names.reversed().map(\.bytes).joined(separator: [UInt8(ascii: "/")]))
    }
}
