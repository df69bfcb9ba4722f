/// Counts durations in buckets that are 6 % wide, so a night of them needs no more memory than a minute.
package struct LatencyHistogram: Sendable {
    private static let bucketsInOctave = 16
    private var counts = [Int](repeating: 0, count: 64 * Self.bucketsInOctave)
    private var longest: UInt64 = 0
    package private(set) var count = 0

    package init() {}

    package mutating func add(nanoseconds: UInt64) {
        counts[Self.bucket(of: nanoseconds)] += 1
        count += 1
        longest = max(longest, nanoseconds)
    }

    package mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        longest = max(longest, other.longest)
    }

    /// The duration that so many percent are not above, at most 6 % too long; 0 of nothing.
    package func nanoseconds(percent: Double) -> UInt64 {
        var left = Int((Double(count) * percent / 100).rounded(.up))
        guard count > 0 else { return 0 }
        for (index, inBucket) in counts.enumerated() {
            left -= inBucket
            if left <= 0, inBucket > 0 { return min(longest, Self.end(ofBucket: index)) }
        }
        return longest
    }

    package var summary: LatencySummary? {
        count == 0
            ? nil
            : LatencySummary(
                count: count, p50Microseconds: Double(nanoseconds(percent: 50)) / 1000,
                p99Microseconds: Double(nanoseconds(percent: 99)) / 1000, maxMicroseconds: Double(longest) / 1000)
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= UInt64(bucketsInOctave) else { return Int(value) }
        let octave = 63 - value.leadingZeroBitCount
        let within = Int(value >> UInt64(octave - 4)) & (bucketsInOctave - 1)
        return (octave - 3) * bucketsInOctave + within
    }

    private static func end(ofBucket index: Int) -> UInt64 {
        guard index >= bucketsInOctave else { return UInt64(index) }
        let octave = index / bucketsInOctave + 3
        let within = UInt64(index % bucketsInOctave)
        return (UInt64(bucketsInOctave) + within + 1) << UInt64(octave - 4) &- 1
    }
}

/// What a report says of durations.
package struct LatencySummary: Codable, Hashable, Sendable {
    package var count: Int
    package var p50Microseconds: Double
    package var p99Microseconds: Double
    package var maxMicroseconds: Double
}
