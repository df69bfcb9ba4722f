/// A set of threads, one bit each.
struct ThreadSet: OptionSet, Sendable {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ thread: Int) { rawValue = 1 << UInt8(thread) }

    func contains(_ thread: Int) -> Bool { contains(ThreadSet(thread)) }
    mutating func insert(_ thread: Int) { formUnion(ThreadSet(thread)) }
    mutating func remove(_ thread: Int) { subtract(ThreadSet(thread)) }

    /// The thread with the lowest number; nil if there is none.
    var first: Int? { isEmpty ? nil : rawValue.trailingZeroBitCount }

    var members: [Int] { (0..<8).filter { contains($0) } }
}
