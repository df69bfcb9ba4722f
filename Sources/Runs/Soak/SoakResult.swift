/// What a soak measured.
package struct SoakResult: Codable, Sendable {
    /// How a cycle ends.
    package enum Cycle: String, Codable, CaseIterable, Sendable {
        /// The store is closed and opened again.
        case reopen
        case kill
        case powerCut
        case ioError

        /// The order in which a soak takes its turns.
        package static func at(_ number: Int) -> Cycle { allCases[(number - 1) % allCases.count] }
    }

    /// How often each was done, and how often it hit the store at work.
    package struct Count: Codable, Hashable, Sendable {
        package var done = 0
        package var landed = 0

        package init() {}
    }

    /// The state of the soak at the end of an interval of a minute.
    package struct Point: Codable, Hashable, Sendable {
        /// From the beginning of the run.
        package var seconds: Double
        /// Up to now.
        package var cycles: Int
        package var acknowledged: Int
        /// The median over the cycles of the interval.
        package var values: [String: Double]
        package var recoveryMilliseconds: Double
        package var slowestRecoveryMilliseconds: Double
        /// Of the interval, by call: put, sync, get.
        package var latencies: [String: LatencySummary]

        package init(
            seconds: Double, cycles: Int, acknowledged: Int, values: [String: Double], recoveryMilliseconds: Double,
            slowestRecoveryMilliseconds: Double, latencies: [String: LatencySummary]
        ) {
            self.seconds = seconds
            self.cycles = cycles
            self.acknowledged = acknowledged
            self.values = values
            self.recoveryMilliseconds = recoveryMilliseconds
            self.slowestRecoveryMilliseconds = slowestRecoveryMilliseconds
            self.latencies = latencies
        }

        package func value(of measure: SoakMeasure) -> Double? { values[measure.rawValue] }
    }

    package var cycles: [String: Count] = [:]
    package var points: [Point] = []
    /// Of the whole run, by call.
    package var latencies: [String: LatencySummary] = [:]
    package var growths: [Growth] = []
    /// The number of lives that were long enough to look for leaks.
    package var livesJudged = 0

    package init() {}

    package func count(of cycle: Cycle) -> Count { cycles[cycle.rawValue] ?? Count() }
}
