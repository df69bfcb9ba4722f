import Exploration
import Model
import Runs
import Scenarios
import Targets

/// Exploring with and without deciding states by what recoveries read, side by side, of the same workload.
package struct DecidingBenchmark {
    private let explore: ExploreBenchmark
    private let seconds: Int

    /// - Parameter seconds: the budget of each exploration.
    package init(_ explore: ExploreBenchmark, seconds: Int) {
        self.explore = explore
        self.seconds = seconds
    }

    private static let sqlite = [("delete", "full"), ("delete", "extra"), ("wal", "full")]

    package func rows() throws -> [BenchmarkRow] {
        var targets = [("engine", try explore.targets.target("engine").configured())]
        for (journal, synchronous) in Self.sqlite {
            let settings = [
                Setting(name: "journal_mode", value: journal), Setting(name: "synchronous", value: synchronous),
            ]
            targets.append(
                (
                    "SQLite \(journal.uppercased())+\(synchronous.uppercased())",
                    try explore.targets.target("sqlite").configured(settings)
                ))
        }
        var rows: [BenchmarkRow] = []
        for (name, target) in targets {
            for profile in [Profile.ext4Ordered, .posixMin] {
                rows += try self.rows("\(name), \(profile.rawValue)", target, profile)
            }
        }
        return rows
    }

    private func rows(_ name: String, _ target: ConfiguredTarget, _ profile: Profile) throws -> [BenchmarkRow] {
        let (with, without) = try (run(target, profile, decides: true), run(target, profile, decides: false))
        guard let explored = with.explored, let bounded = without.explored else { return [] }
        func share(_ count: Int, _ all: Int) -> Double { 100 * Double(count) / Double(max(all, 1)) }
        func seconds(_ result: RunResult) -> Double { Double(result.states.checked) / result.states.ratePerSecond }
        func perRecovery(_ result: RunResult) -> Double {
            Double(result.states.decided) / Double(max(result.states.checked, 1))
        }
        let plain = share(bounded.exhaustive, bounded.of)
        func row(_ what: String, _ value: Double, _ unit: String, _ baseline: Double, _ aim: BenchmarkRow.Aim = .none)
            -> BenchmarkRow
        {
            BenchmarkRow(
                name: "\(name): \(what)", value: value, unit: unit, baseline: "without deciding",
                baselineValue: baseline, aim: aim)
        }
        return [
            row(
                "epochs with every torn state", share(explored.torn ?? explored.exhaustive, explored.of), "%", plain,
                .atLeast(100)),
            row("epochs with every state", share(explored.exhaustive, explored.of), "%", plain, .atLeast(90)),
            row("time", seconds(with), "s", seconds(without), .atMost(60)),
            row("recovered states", Double(with.states.checked), "states", Double(without.states.checked)),
            row("states judged for each recovered", perRecovery(with), "states", perRecovery(without)),
            row("recovered states a second", with.states.ratePerSecond, "states/s", without.states.ratePerSecond),
        ]
    }

    private func run(_ target: ConfiguredTarget, _ profile: Profile, decides: Bool) throws -> RunResult {
        var scenario = ExploreScenario()
        scenario.budget = RunBudget(seconds: seconds, allowsPartial: true)
        scenario.limits.decides = decides
        scenario.skipsFixes = true
        return try explore.explore(
            RunRequest(
                target: target, scenario: scenario, profile: profile, contract: target.contract, operationCount: 100),
            allowing: [.pass, .violation])
    }
}
