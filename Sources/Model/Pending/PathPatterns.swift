import Bytes

/// The patterns of the names in a tree. A name's pattern depends on its siblings.
///
/// Alone, `ab` is an ordinary name. Beside `4e` and `9c` it is a fan-out directory: it holds the hashes of one prefix.
/// Alone, `42424242` is a number. Beside `4e66c13b` it is a hash.
struct PathPatterns {
    private let paths: VolatilePaths
    /// The children of each directory, by name.
    private let children: [InodeID: [ByteString: InodeID]]
    /// Cache: for each directory, one example child for each pair of random pattern and name length.
    private var randomChildren: [InodeID: [(name: ByteString, pattern: TextPattern)]] = [:]
    private var fanOutNameLengths: [InodeID: Set<Int>] = [:]
    /// Cache: the pattern of each path so far. A store that never syncs has hundreds of effects on a few files.
    private var patterns: [DirectoryEntry: TextPattern] = [:]

    init(_ paths: VolatilePaths) {
        self.paths = paths
        var children: [InodeID: [ByteString: InodeID]] = [:]
        for (inode, entry) in paths.entries { children[entry.directory, default: [:]][entry.name] = inode }
        self.children = children
    }

    /// The loss pattern of the effect.
    mutating func pattern(_ effect: Effect) -> LossPattern {
        var pattern = LossPattern(effect.lossKind, path(of: effect))
        if case .extendedAttribute(_, let name, _) = effect { pattern.attribute = TextPattern(of: name) }
        return pattern
    }

    private mutating func path(of effect: Effect) -> TextPattern {
        switch effect {
        case .name(let entry, _): path(entry)
        default: paths.entries[effect.inode].map { path($0) } ?? TextPattern(of: paths.path(effect.inode))
        }
    }

    private mutating func path(_ entry: DirectoryEntry) -> TextPattern {
        if let known = patterns[entry] { return known }
        let found = joinedPath(entry)
        patterns[entry] = found
        return found
    }

    private mutating func joinedPath(_ entry: DirectoryEntry) -> TextPattern {
        var components: [TextPattern] = []
        for entry in paths.entries(to: entry) { components.append(component(entry)) }
        return TextPattern(joining: components)
    }

    private mutating func component(_ entry: DirectoryEntry) -> TextPattern {
        let own = TextPattern(of: entry.name)
        if own.isRandom { return own }
        let isShort = entry.name.bytes[...].isShortHexadecimal
        if isShort, fanOutNameLengths(of: entry.directory).contains(entry.name.count), holdsRandomNames(entry) {
            return .anything
        }
        for sibling in randomChildren(of: entry.directory) {
            if let shared = TextPattern(of: entry.name, like: sibling.name, sibling.pattern) { return shared }
        }
        return own
    }

    private mutating func randomChildren(of directory: InodeID) -> [(name: ByteString, pattern: TextPattern)] {
        if let known = randomChildren[directory] { return known }
        var found: [(name: ByteString, pattern: TextPattern)] = []
        for name in (children[directory] ?? [:]).keys.sorted() {
            let pattern = TextPattern(of: name)
            guard pattern.isRandom, !found.contains(where: { $0.pattern == pattern && $0.name.count == name.count })
            else { continue }
            found.append((name, pattern))
        }
        randomChildren[directory] = found
        return found
    }

    /// The name lengths of the fan-out subdirectories: a short hexadecimal name outside, only random names inside.
    private mutating func fanOutNameLengths(of directory: InodeID) -> Set<Int> {
        if let known = fanOutNameLengths[directory] { return known }
        let lengths = (children[directory] ?? [:]).keys.filter { name in
            name.bytes[...].isShortHexadecimal && name.bytes.contains(where: \.isDecimalDigit)
                && holdsRandomNames(DirectoryEntry(directory, name))
        }.map(\.count)
        fanOutNameLengths[directory] = Set(lengths)
        return Set(lengths)
    }

    private func holdsRandomNames(_ entry: DirectoryEntry, depth: Int = 0) -> Bool {
        guard let inode = children[entry.directory]?[entry.name], let names = children[inode]?.keys, !names.isEmpty,
            depth < 8
        else { return false }
        return names.allSatisfy { name in
            TextPattern(of: name).isRandom
                || name.bytes[...].isShortHexadecimal && holdsRandomNames(DirectoryEntry(inode, name), depth: depth + 1)
        }
    }
}
