/// The parts of one file that a recovery has read, or overwritten without reading them: nothing else of it is known to the
/// recovery.
package struct ReadParts: Sendable {
    private var isSizeKnown = false
    /// One bit for each block.
    private var blocks: [UInt64] = []

    package init() {}

    /// True if the size is read for the first time.
    package mutating func readSize() -> Bool {
        defer { isSizeKnown = true }
        return !isSizeKnown
    }

    /// The runs of whole blocks within these bytes that are read for the first time.
    package mutating func read(_ bytes: Range<UInt64>) -> [Range<UInt64>] {
        guard !bytes.isEmpty else { return [] }
        let range = bytes.aligned(to: Read.blockBytes)
        var runs: [Range<UInt64>] = []
        var start: UInt64?
        for block in range.lowerBound / Read.blockBytes..<range.upperBound / Read.blockBytes {
            if insert(Int(block)) {
                start = start ?? block
            } else if let begin = start {
                runs.append(begin * Read.blockBytes..<block * Read.blockBytes)
                start = nil
            }
        }
        if let start { runs.append(start * Read.blockBytes..<range.upperBound) }
        return runs
    }

    /// These bytes are overwritten. Only whole blocks are known from now on.
    package mutating func overwrite(_ bytes: Range<UInt64>) {
        let whole = bytes.wholeUnits(of: Read.blockBytes)
        guard !whole.isEmpty else { return }
        for block in whole.lowerBound / Read.blockBytes..<whole.upperBound / Read.blockBytes { _ = insert(Int(block)) }
    }

    private mutating func insert(_ block: Int) -> Bool {
        let word = block >> 6
        if word >= blocks.count { blocks += [UInt64](repeating: 0, count: word + 1 - blocks.count) }
        let bit: UInt64 = 1 << UInt64(block & 63)
        defer { blocks[word] |= bit }
        return blocks[word] & bit == 0
    }
}
