/// Decides whether a store under a constant load grows without bound.
///
/// The load keeps the number of keys, so memory, descriptors, threads and the size of the store have a level of their own,
/// which they reach in a warm-up and then keep, with noise. Two tests look for what leaves it.
///
/// *A leak* shows within a life of the store's process. The values of the second half of each life (the first is the
/// warm-up) are fitted against the number of acknowledged operations, not against time, so a slow machine changes nothing.
/// It is a leak if, over the last lives, even the lower quartile of the slopes is above a limit.
///
/// *Growth across cycles* shows from life to life: a store that never gives up a file, a scratch directory that is not
/// removed, a harness that leaks. The first third of the run is the warm-up. The rest must rise clearly (Mann-Kendall), by
/// a tenth of its level and more than a fixed amount, and must not slow down: its second half rises at least half as fast
/// as its first. A value on its way to a level fails the last condition. Times are not judged, because they follow the
/// load of the machine.
package struct GrowthJudge: Sendable {
    /// One sample of a life.
    package struct Sample: Hashable, Sendable {
        package var operations: Int
        package var values: [SoakMeasure: Double]

        package init(operations: Int, values: [SoakMeasure: Double]) {
            (self.operations, self.values) = (operations, values)
        }
    }

    /// The slopes of the last lives, and the values of all cycles.
    private var slopes: [SoakMeasure: [Double]] = [:]
    private var cycles: [SoakMeasure: [Double]] = [:]
    /// How often in a row a growth across cycles was seen.
    private var sightings: [SoakMeasure: Int] = [:]

    private static let fewestSamples = 8
    private static let fewestOperations = 200
    package static let fewestLives = 4
    private static let mostLives = 24
    private static let fewestCycles = 24
    private static let pointCount = 96
    private static let clearSignificance = 3.5
    /// Growth must be seen at so many calls of `growths` in a row: a long run looks at its series many times.
    private static let sightingsNeeded = 3

    package init() {}

    /// The number of lives that were long enough to look for leaks.
    package var lifeCount: Int { slopes[.memory]?.count ?? 0 }
    package var hasJudged: Bool { lifeCount >= Self.fewestLives }

    /// Adds the samples of one life, in order. A life that is too short tells nothing.
    package mutating func add(life samples: [Sample]) {
        guard let last = samples.last?.operations, let first = samples.first?.operations else { return }
        let late = samples.filter { $0.operations - first >= (last - first) / 2 }
        guard late.count >= Self.fewestSamples, last - late[0].operations >= Self.fewestOperations else { return }
        let span = Double(last - late[0].operations)
        // The number of pairs is the square of the number of samples.
        let step = max(1, late.count / Self.pointCount)
        for measure in SoakMeasure.withinLife {
            let points = late.enumerated().filter { $0.offset % step == 0 }.compactMap { _, sample in
                sample.values[measure].map { (x: Double(sample.operations), y: $0) }
            }
            guard let slope = Trend.slope(points) else { continue }
            // What is given back from time to time rises in between, but its lowest values do not.
            let third = points.count / 3
            let floor = (points.suffix(third).map(\.y).min() ?? 0) - (points.prefix(third).map(\.y).min() ?? 0)
            let isLarge = slope * span >= measure.leastLeak && floor >= slope * span / 3
            slopes[measure, default: []].append(isLarge ? slope : min(0, slope))
            if slopes[measure, default: []].count > Self.mostLives { slopes[measure]?.removeFirst() }
        }
    }

    /// Adds the values at the end of one cycle.
    package mutating func add(cycle values: [SoakMeasure: Double]) {
        for (measure, value) in values { cycles[measure, default: []].append(value) }
    }

    /// The leaks in the lives so far.
    package func leaks() -> [Growth] { SoakMeasure.withinLife.compactMap { leak(of: $0) } }

    /// The leaks, and what grows across cycles. Call it at regular intervals.
    package mutating func growths() -> [Growth] {
        var growths = leaks()
        for measure in SoakMeasure.allCases {
            let growth = growth(of: measure)
            sightings[measure] = growth == nil ? 0 : sightings[measure, default: 0] + 1
            if let growth, sightings[measure, default: 0] >= Self.sightingsNeeded { growths.append(growth) }
        }
        return growths
    }

    private func leak(of measure: SoakMeasure) -> Growth? {
        guard let slopes = slopes[measure], slopes.count >= Self.fewestLives else { return nil }
        let quartile = slopes.sorted()[slopes.count / 4] * 1000
        guard quartile >= measure.leakPerThousand else { return nil }
        return Growth(kind: .leak, measure: measure, rise: quartile, count: slopes.count)
    }

    private func growth(of measure: SoakMeasure) -> Growth? {
        guard let all = cycles[measure], all.count >= Self.fewestCycles else { return nil }
        let window = Array(all.dropFirst(all.count / 3))
        let points = Trend.condensed(window, to: Self.pointCount)
        let significance = Trend.significance(points)
        guard significance >= Self.clearSignificance, let level = Trend.median(points),
            let slope = Self.slope(points[...])
        else { return nil }
        let rise = slope * Double(points.count - 1)
        guard rise >= max(measure.leastGrowth, level / 10) else { return nil }
        let middle = points.count / 2
        guard let early = Self.slope(points[..<middle]), let late = Self.slope(points[middle...]),
            late >= early / 2, late >= slope / 2
        else { return nil }
        return Growth(
            kind: .acrossCycles, measure: measure, rise: rise, count: window.count, significance: significance)
    }

    private static func slope(_ values: ArraySlice<Double>) -> Double? {
        Trend.slope(values.enumerated().map { (x: Double($0.offset), y: $0.element) })
    }
}
