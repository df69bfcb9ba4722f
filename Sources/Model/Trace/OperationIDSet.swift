/// A set of mostly consecutive ids: one bit for each, in words that are allocated on demand, so that sparse ids stay cheap.
struct OperationIDSet: Sendable {
    private var words: [UInt64: UInt64] = [:]
    /// The index of the word that was changed last. This word is in `word`, not in `words`.
    private var wordIndex: UInt64 = 0
    private var word: UInt64 = 0

    /// Returns false if the id was already in the set.
    @discardableResult
    mutating func insert(_ id: OperationID) -> Bool {
        let (wordIndex, bit) = (id.rawValue >> 6, 1 << (id.rawValue & 63) as UInt64)
        if wordIndex != self.wordIndex {
            words[self.wordIndex] = word
            word = words.removeValue(forKey: wordIndex) ?? 0
            self.wordIndex = wordIndex
        }
        defer { word |= bit }
        return word & bit == 0
    }

    func contains(_ id: OperationID) -> Bool {
        let wordIndex = id.rawValue >> 6
        return (wordIndex == self.wordIndex ? word : words[wordIndex] ?? 0) >> (id.rawValue & 63) & 1 == 1
    }
}
