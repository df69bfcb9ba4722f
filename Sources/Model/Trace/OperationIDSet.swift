/// A set of ids that are nearly all there is between the lowest and the highest: a bit for each, in words that are
/// made as they are needed, so that ids that lie far apart cost no more than themselves.
struct OperationIDSet: Sendable {
    private var words: [UInt64: UInt64] = [:]
    /// The word that was changed last, which is not in `words`.
    private var place: UInt64 = 0
    private var word: UInt64 = 0

    /// False when it was there.
    @discardableResult
    mutating func insert(_ id: OperationID) -> Bool {
        let (place, bit) = (id.rawValue >> 6, 1 << (id.rawValue & 63) as UInt64)
        if place != self.place {
            words[self.place] = word
            word = words.removeValue(forKey: place) ?? 0
            self.place = place
        }
        defer { word |= bit }
        return word & bit == 0
    }

    func contains(_ id: OperationID) -> Bool {
        let place = id.rawValue >> 6
        return (place == self.place ? word : words[place] ?? 0) >> (id.rawValue & 63) & 1 == 1
    }
}
