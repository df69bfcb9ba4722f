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

    mutating func insert(_ atoms: Range<Int>) {
        for word in Self.words(of: atoms) { self[word] |= Self.bits(of: atoms, in: word) }
    }

    func holdsAny(of atoms: Range<Int>) -> Bool {
        for word in Self.words(of: atoms) where self[word] & Self.bits(of: atoms, in: word) != 0 { return true }
        return false
    }

    private static func words(of atoms: Range<Int>) -> Range<Int> {
        atoms.isEmpty ? 0..<0 : atoms.lowerBound >> 6..<(atoms.upperBound + 63) >> 6
    }

    /// The bits of a range that are in a word that it reaches.
    private static func bits(of atoms: Range<Int>, in word: Int) -> UInt64 {
        let begin = Swift.max(atoms.lowerBound - word << 6, 0)
        let end = Swift.min(atoms.upperBound - word << 6, 64)
        return ~0 << UInt64(begin) & ~0 >> UInt64(64 - end)
    }

    /// The smallest number in the set.
    var firstMember: Int? {
        for word in indices where self[word] != 0 { return word << 6 + self[word].trailingZeroBitCount }
        return nil
    }

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
