/// A block of consecutive states of a walk: the hash of each, and its atoms.
public struct StateBlock {
    public internal(set) var hashes: [StateHash] = []
    /// The atoms of each state: one bit each, `wordCount` words for each state.
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
        // Word by word, because there is usually only one.
        for word in walk.members { members.append(word) }
    }

    func members(of state: Int) -> ArraySlice<UInt64> { members[state * wordCount..<(state + 1) * wordCount] }
}
