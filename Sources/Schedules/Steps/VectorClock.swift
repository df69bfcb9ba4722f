/// How many steps of each thread happened before a point.
struct VectorClock: Hashable, Sendable {
    /// The most threads of a scenario.
    static let threadLimit = 8

    private var counts = SIMD8<UInt32>.zero

    subscript(thread: Int) -> UInt32 {
        get { counts[thread] }
        set { counts[thread] = newValue }
    }

    mutating func join(_ other: VectorClock) { counts.replace(with: other.counts, where: other.counts .> counts) }

    /// Whether the step with this number of a thread happened before. Steps are numbered from 1.
    func contains(_ number: UInt32, of thread: Int) -> Bool { counts[thread] >= number }
}
