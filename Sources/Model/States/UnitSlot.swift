/// One unit of one file in a walk, with all its versions. A version is computed once, when the walk first reaches it.
struct UnitSlot {
    let startBytes: UInt64
    private let unitBytes: UInt64
    /// The changes that atoms make to this unit.
    private var changes: [(effect: Effect, bytes: Range<UInt64>)] = []
    private var versions: [Version] = []
    /// For each version and each change, the resulting version; -1 if not computed yet.
    private var transitions: [Int32] = []
    private(set) var current: Int32 = 0

    private struct Version {
        var content: ExtentMap
        var whole: StateHash
        /// The hashes of clipped versions, by the number of visible bytes.
        var clipped: [(visibleBytes: UInt64, hash: StateHash)] = []
    }

    /// - Parameter content: the durable content of the unit.
    init(startBytes: UInt64, unitBytes: UInt64, _ content: ExtentMap, _ hasher: TreeHasher) throws {
        self.startBytes = startBytes
        self.unitBytes = unitBytes
        versions.append(try version(content, hasher))
    }

    private func version(_ content: ExtentMap, _ hasher: TreeHasher) throws -> Version {
        Version(content: content, whole: try hasher.content(content, startBytes..<startBytes + unitBytes))
    }

    /// Adds a change, before the walk. Returns its number.
    mutating func append(_ effect: Effect, _ bytes: Range<UInt64>) -> Int32 {
        changes.append((effect, bytes))
        return Int32(changes.count - 1)
    }

    mutating func setCurrent(_ version: Int32) { current = version }

    /// Applies a change to the current version.
    mutating func apply(_ change: Int32, _ hasher: TreeHasher) throws {
        let position = Int(current) * changes.count + Int(change)
        if position < transitions.count, transitions[position] >= 0 {
            current = transitions[position]
            return
        }
        var node = Node(kind: .regular, attributes: Attributes(mode: 0))
        node.content = versions[Int(current)].content
        let unit = startBytes..<startBytes + unitBytes
        node.apply(changes[Int(change)].effect, within: RangeSet(changes[Int(change)].bytes.clamped(to: unit)))
        versions.append(try version(node.content, hasher))
        while transitions.count < versions.count * changes.count { transitions.append(-1) }
        current = Int32(versions.count - 1)
        transitions[position] = current
    }

    /// The hash of the visible bytes of the current version in a file of this size.
    @inline(__always)
    mutating func hash(sizeBytes: UInt64, _ hasher: TreeHasher) throws -> StateHash {
        if sizeBytes >= startBytes + unitBytes { return versions[Int(current)].whole }
        return sizeBytes <= startBytes ? .zero : try clippedHash(sizeBytes - startBytes, hasher)
    }

    private mutating func clippedHash(_ visibleBytes: UInt64, _ hasher: TreeHasher) throws -> StateHash {
        if let known = versions[Int(current)].clipped.first(where: { $0.visibleBytes == visibleBytes }) {
            return known.hash
        }
        let hash = try hasher.content(versions[Int(current)].content, startBytes..<startBytes + visibleBytes)
        versions[Int(current)].clipped.append((visibleBytes, hash))
        return hash
    }
}
