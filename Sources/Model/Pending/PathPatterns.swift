import Bytes

/// The patterns of the names in a tree, with what siblings have in common.
///
/// A name alone cannot tell that `ab`, beside `4e` and `9c`, is one of the directories that hashes are spread over, nor
/// that `42424242`, beside `4e66c13b`, is one of many hashes. The names around it can.
struct PathPatterns {
    private let paths: VolatilePaths
    /// The children of each directory, by name.
    private let children: [InodeID: [ByteString: InodeID]]
    /// Of each directory that was asked for: a child for each random pattern and length.
    private var randomChildren: [InodeID: [(name: ByteString, pattern: TextPattern)]] = [:]
    private var spreadLengths: [InodeID: Set<Int>] = [:]

    init(_ paths: VolatilePaths) {
        self.paths = paths
        var children: [InodeID: [ByteString: InodeID]] = [:]
        for (inode, place) in paths.places { children[place.directory, default: [:]][place.name] = inode }
        self.children = children
    }

    /// What kind of change the effect is, of which files.
    mutating func pattern(_ effect: Effect) -> LossPattern {
        var pattern = LossPattern(effect.lossKind, path(of: effect))
        if case .extendedAttribute(_, let name, _) = effect { pattern.attribute = TextPattern(of: name) }
        return pattern
    }

    private mutating func path(of effect: Effect) -> TextPattern {
        switch effect {
        case .name(let entry, _): path(entry)
        default: paths.places[effect.inode].map { path($0) } ?? TextPattern(of: paths.path(effect.inode))
        }
    }

    private mutating func path(_ entry: Entry) -> TextPattern {
        var components: [TextPattern] = []
        for entry in paths.entries(to: entry) { components.append(component(entry)) }
        return TextPattern(joining: components)
    }

    private mutating func component(_ entry: Entry) -> TextPattern {
        let own = TextPattern(of: entry.name)
        if own.isRandom { return own }
        let isShort = entry.name.bytes[...].isShortHexadecimal
        if isShort, spreadLengths(of: entry.directory).contains(entry.name.count), holdsRandomNames(entry) {
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

    /// How long the names of directories are that random names are spread over; some of these have digits.
    private mutating func spreadLengths(of directory: InodeID) -> Set<Int> {
        if let known = spreadLengths[directory] { return known }
        let lengths = (children[directory] ?? [:]).keys.filter { name in
            name.bytes[...].isShortHexadecimal && name.bytes.contains(where: \.isDecimalDigit)
                && holdsRandomNames(Entry(directory, name))
        }.map(\.count)
        spreadLengths[directory] = Set(lengths)
        return Set(lengths)
    }

    private func holdsRandomNames(_ entry: Entry, depth: Int = 0) -> Bool {
        guard let inode = children[entry.directory]?[entry.name], let names = children[inode]?.keys, !names.isEmpty,
            depth < 8
        else { return false }
        return names.allSatisfy { name in
            TextPattern(of: name).isRandom
                || name.bytes[...].isShortHexadecimal && holdsRandomNames(Entry(inode, name), depth: depth + 1)
        }
    }
}
