import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Oracle
import Platform
import Runs
import Scenarios
import Storage
import Targets

/// The overhead of a power-cut cycle over the target's own work: the same workload and the same recovery on a plain
/// directory of the same filesystem, measured alternately with the cycle.
package struct CycleBenchmark {
    private let target: ConfiguredTarget
    private let rounds: Int
    private let wording: any Wording
    private let operationCount: UInt64 = 100
    private static let aimMilliseconds = 100.0

    package init(target: ConfiguredTarget, rounds: Int, wording: any Wording) {
        self.target = target
        self.rounds = rounds
        self.wording = wording
    }

    /// Medians over the rounds, in milliseconds.
    package func row() throws -> BenchmarkRow {
        var cycles: [Double] = []
        var plain: [Double] = []
        // The first round warms up caches and is not counted.
        for round in 0...rounds {
            if Interruption.shared.isInterrupted { throw RunError.interrupted }
            let directory = try RunDirectory(
                in: RunDirectory.parent(option: nil), target: target.target.name, scenario: "bench", seed: 1)
            do {
                let context = try RunContext(directory, wording: wording)
                let cycle = try timed { try self.cycle(context) }
                let work = try timed { try ownWork(context) }
                if round > 0 {
                    cycles.append(cycle)
                    plain.append(work)
                }
            } catch {
                try? directory.finish()
                throw error
            }
            try directory.finish()
            try TreeRemoval.remove(directory.path)
        }
        let beyond = zip(cycles, plain).map(-)
        return BenchmarkRow(
            name: "power-cut cycle beyond own work, \(target.label)", value: CycleBenchmark.median(beyond), unit: "ms",
            baseline: "workload and recovery on a plain directory", baselineValue: CycleBenchmark.median(plain),
            aim: .atMost(CycleBenchmark.aimMilliseconds))
    }

    /// Mount, work, cut, recover, validate.
    private func cycle(_ context: RunContext) throws {
        let backing = context.scratchFile("store")
        try RunFiles.makeDirectory(backing)
        let request = RunRequest(
            target: target, scenario: PowerCutScenario(), contract: target.contract, operationCount: operationCount)
        let cycle = LiveCycle(request: request, context: context, backing: backing, oracle: context.oracle)
        // After the last acknowledgement: each operation has two lines.
        let point = CrashPoint(.after, Int(operationCount) * 2, .oracleLines)
        let crash = LiveCycle.Crash(trigger: .point(point), choice: .nothing)
        let life = try cycle.run(named: "cut", firstSeq: 1, crash: crash)
        guard life.cut != nil else { throw RunError.harness("the power cut did not happen: nothing was measured") }
        var history = OracleHistory(context.oracle, context.memory)
        try history.readAll()
        let recovery = try RecoverClient(target).recoverAlone(backing).recovery
        let judgement = history.validator.judge(Evidence(recovery), contract: target.contract)
        guard judgement.verdict == .pass else { throw RunError.harness("\(judgement.violations)") }
    }

    private func ownWork(_ context: RunContext) throws {
        let plain = context.scratchFile("plain")
        try RunFiles.makeDirectory(plain)
        let environment = WorkloadEnvironment(
            directory: plain, oracle: context.file("plain.jsonl"), seed: 1, operationCount: operationCount,
            oracleMayShareFilesystem: true)
        let workload = try WorkloadRun(target, environment)
        guard let termination = try workload.finish(watching: environment.oracle) else { throw RunError.interrupted }
        guard termination.isSuccess else { throw RunError.harness("the workload \(termination)") }
        _ = try RecoverClient(target).recoverAlone(plain)
    }

    private func timed(_ body: () throws -> Void) rethrows -> Double {
        let began = MonotonicTime.seconds()
        try body()
        return (MonotonicTime.seconds() - began) * 1000
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
