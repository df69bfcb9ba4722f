/// Robust statistics of a series: no single value, and no burst of them, decides.
package enum Trend {
    /// The median; nil of nothing.
    package static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The rise of y for each unit of x: the median of the slopes between all pairs of points (Theil 1950, Sen 1968).
    /// Nil if fewer than two points differ in x.
    package static func slope(_ points: [(x: Double, y: Double)]) -> Double? {
        var slopes: [Double] = []
        for (index, left) in points.enumerated() {
            for right in points[(index + 1)...] where right.x != left.x {
                slopes.append((right.y - left.y) / (right.x - left.x))
            }
        }
        return median(slopes)
    }

    /// How clearly the series rises, in standard deviations of a series without a trend: negative if it falls (Mann 1945,
    /// Kendall 1975, with the correction for ties).
    package static func significance(_ values: [Double]) -> Double {
        let count = Double(values.count)
        guard values.count > 2 else { return 0 }
        var sum = 0.0
        for (index, left) in values.enumerated() {
            for right in values[(index + 1)...] { sum += right > left ? 1 : right < left ? -1 : 0 }
        }
        var ties: [Double: Double] = [:]
        for value in values { ties[value, default: 0] += 1 }
        let tied = ties.values.reduce(0) { $0 + $1 * ($1 - 1) * (2 * $1 + 5) }
        let variance = (count * (count - 1) * (2 * count + 5) - tied) / 18
        guard variance > 0 else { return 0 }
        return sum == 0 ? 0 : (sum - (sum > 0 ? 1 : -1)) / variance.squareRoot()
    }

    /// At most `count` values in the same order, each the median of neighbours.
    package static func condensed(_ values: [Double], to count: Int) -> [Double] {
        guard values.count > count else { return values }
        return (0..<count).compactMap { index in
            median(Array(values[(index * values.count / count)..<((index + 1) * values.count / count)]))
        }
    }
}
