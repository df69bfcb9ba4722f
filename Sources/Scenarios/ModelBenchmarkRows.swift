import Model

/// The model's benchmark with a clock: what it costs to take an event, and how fast neighbouring states are hashed.
package enum ModelBenchmarkRows {
    /// - Parameter events: how many events are taken, and states walked.
    package static func rows(events: Int) throws -> [BenchmarkRow] {
        let began = ScenarioRunner.now()
        let added = ModelBenchmark.addEvents(events)
        let addedAt = ScenarioRunner.now()
        let tenfold = ModelBenchmark.addEvents(events / 10)
        let smallAt = ScenarioRunner.now()
        let walked = try ModelBenchmark.walkStates(events)
        let walkedAt = ScenarioRunner.now()
        let perEvent = (addedAt - began) / Double(added.events) * 1e9
        let perSmallEvent = (smallAt - addedAt) / Double(tenfold.events) * 1e9
        return [
            BenchmarkRow(
                name: "take one event (\(added.events) of them, \(added.peakParts) parts pending at most)",
                value: perEvent,
                unit: "ns", baseline: "the same in a tenth of the trace (\(tenfold.peakParts) parts)",
                baselineValue: perSmallEvent, aim: .atMost(300)),
            BenchmarkRow(
                name: "derive and hash a neighbouring state (\(walked.states) of them)",
                value: Double(walked.states) / (walkedAt - smallAt) / 1e6, unit: "M/s", baseline: "the aim",
                baselineValue: 5, aim: .atLeast(5)),
        ]
    }
}
