import Bytes
import Exploration
import Foundation
import Guest
import Machine
import Platform
import Runs
import Scenarios
import Storage
import Targets

/// What a case of `flakey` costs in the guest: the first one, which starts it; further ones; and several guests at once.
package struct GuestBenchmark {
    private let targets: TargetCatalog
    private let configuration: GuestConfiguration
    private let rounds: Int
    private let wording: any Wording

    /// - Parameter rounds: further cases, one after the other.
    package init(
        targets: TargetCatalog, configuration: GuestConfiguration, rounds: Int, wording: any Wording
    ) {
        (self.targets, self.configuration, self.rounds, self.wording) = (targets, configuration, rounds, wording)
    }

    private static let (firstSecondsAtMost, caseSecondsAtMost) = (8.0, 2.0)

    package func rows() throws -> [BenchmarkRow] {
        let run = try RunDirectory(in: RunDirectory.parent(option: nil), target: "bench", scenario: "guest", seed: 1)
        defer {
            try? run.finish()
            try? TreeRemoval.remove(run.path)
        }
        let workers = ProcessInfo.processInfo.activeProcessorCount
        var session = RunSession(parent: try run.makeScratch(), program: "faultline", wording: wording)
        session.machines = MachinePicker(.guest, configuration) { _ in nil }
        session.guests = GuestPool(keeping: workers)
        defer { session.guests.end() }
        let request = try request()
        let (first, facts) = try seconds(session, request)
        let further = try (0..<rounds).map { _ in try seconds(session, request).seconds }.sorted()
        let median = further[further.count / 2]
        // Each worker has its guest before the clock runs.
        _ = try Parallel.map(Array(0..<workers), workers: workers) { [session] _, _ in try seconds(session, request) }
        let began = MonotonicTime.seconds()
        let many = Array(0..<workers * rounds)
        _ = try Parallel.map(many, workers: workers) { [session] _, _ in try seconds(session, request) }
        let rate = Double(many.count) / (MonotonicTime.seconds() - began)
        return [
            BenchmarkRow(
                name: "the first case, with the start of its guest", value: first, unit: "s",
                baseline: "the start alone", baselineValue: facts?.bootSeconds ?? .nan,
                aim: .atMost(Self.firstSecondsAtMost)),
            BenchmarkRow(
                name: "a further case in that guest, median of \(rounds)", value: median, unit: "s",
                baseline: "the first case", baselineValue: first, aim: .atMost(Self.caseSecondsAtMost)),
            BenchmarkRow(
                name: "cases in \(workers.counted("guest")) at once", value: rate, unit: "cases/s",
                baseline: "one at a time", baselineValue: 1 / median, aim: .none),
        ]
    }

    /// The engine, twenty operations, error_writes after them.
    private func request() throws -> RunRequest {
        let target = try targets.target("engine").configured([])
        var scenario = FlakeyScenario()
        (scenario.faults, scenario.moments) = ([.errorWrites], [.afterWorkload])
        return RunRequest(target: target, scenario: scenario, contract: target.contract, operationCount: 20)
    }

    private func seconds(
        _ session: RunSession, _ request: RunRequest
    ) throws -> (seconds: Double, guest: RunResult.GuestFacts?) {
        let began = MonotonicTime.seconds()
        let result = session.run(request)
        guard result.verdict == .pass else {
            throw RunError.harness("a case in the guest came to no pass: \(result.reason ?? "\(result.verdict)")")
        }
        return (MonotonicTime.seconds() - began, result.guest)
    }
}
