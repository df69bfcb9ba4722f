/// A set of small numbers, such as atoms, one bit each.
extension [UInt64] {
    /// An empty set of numbers below `count`.
    init(bitsBelow count: Int) { self.init(repeating: 0, count: (count + 63) / 64) }

    @inline(__always)
    func holds(_ atom: Int) -> Bool { self[atom >> 6] >> UInt64(atom & 63) & 1 == 1 }
    @inline(__always)
    mutating func insert(_ atom: Int) { self[atom >> 6] |= 1 << UInt64(atom & 63) }
    @inline(__always)
    mutating func remove(_ atom: Int) { self[atom >> 6] &= ~(1 << UInt64(atom & 63)) }

    /// The first atom that is in only one of the sets.
    func firstDifference(_ other: [UInt64]) -> Int? {
        for word in indices where self[word] != other[word] {
            return word << 6 + (self[word] ^ other[word]).trailingZeroBitCount
        }
        return nil
    }

    /// All numbers below `count` that are not in the set.
    func complement(below count: Int) -> [UInt64] {
        var result = map(~)
        if count & 63 != 0, let last = result.indices.last { result[last] &= (1 << UInt64(count & 63)) - 1 }
        return result
    }
}
