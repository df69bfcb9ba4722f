/// A run of states of a walk, taken at once: the hash of each, and what is needed to tell what survives in it.
public struct StateBlock {
    public internal(set) var hashes: [StateHash] = []
    /// The atoms of each state, one after the other: a bit each, in whole words.
    var members: [UInt64] = []
    var wordCount = 0

    public init() {}

    mutating func removeAll() {
        hashes.removeAll(keepingCapacity: true)
        members.removeAll(keepingCapacity: true)
    }

    mutating func append(_ hash: StateHash, _ walk: borrowing IdealWalk) {
        hashes.append(hash)
        wordCount = walk.members.count
        // Word by word: mostly there is one.
        for word in walk.members { members.append(word) }
    }

    func members(of state: Int) -> ArraySlice<UInt64> { members[state * wordCount..<(state + 1) * wordCount] }
}
