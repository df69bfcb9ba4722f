import Bytes
import Exploration
import Foundation
import Machine
import Model
import Oracle
import Platform
import Runs
import Scenarios
import Storage
import Targets

/// What exploring costs: deriving states, recovering them in this process, through a persistent command and through
/// one that is spawned for each, and the memory that it takes.
package struct ExploreBenchmark {
    /// "CrashMonkey and ACE", OSDI 2018, and crashfuzz: the best rates published, in states a second.
    private static let crashMonkey = 167.0
    package let targets: TargetCatalog
    private let seconds: Int
    private let states: Int
    private let wording: any Wording

    /// - Parameter seconds: the time that each row explores.
    /// - Parameter states: the number of states to derive and keep.
    package init(targets: TargetCatalog, seconds: Int, states: Int, wording: any Wording) {
        self.targets = targets
        self.seconds = seconds
        self.states = states
        self.wording = wording
    }

    package func rows() throws -> [BenchmarkRow] {
        var rows = try memory() + deduplicating()
        rows += try exploring(
            "engine in this process", targets.target("engine").configured(), aim: 20_000)
        guard Host.real.tryMount() == nil else {
            StandardError.say("faultline: no FUSE here, so nothing is explored through commands")
            return rows
        }
        let wal = try targets.target("sqlite").configured([Setting(name: "journal_mode", value: "wal")])
        rows += try exploring("SQLite (WAL) through its persistent command", wal, aim: 1500)
        rows.append(try spawning())
        return rows
    }

    /// The number of measurements, whose median is taken, because the machine's speed varies.
    private static let rounds = 3

    private static func middle<Value>(
        by order: (Value) -> Double, _ measure: () throws -> Value
    ) rethrows -> Value {
        var values: [Value] = []
        for _ in 0..<rounds { values.append(try measure()) }
        return values.sorted { order($0) < order($1) }[rounds / 2]
    }

    private func deduplicating() throws -> [BenchmarkRow] {
        let began = try ResidentMemory.resetPeak()
        var distinct = 0
        var megabytes = 0.0
        let seconds = try Self.middle(by: \.self) {
            let start = MonotonicTime.seconds()
            distinct = try ExplorationBenchmark.deduplicate(states)
            let seconds = MonotonicTime.seconds() - start
            // Only the first time counts: reuse of freed memory does not show.
            if megabytes == 0 { megabytes = Double(try ResidentMemory.peakBytes() - began) / 1e6 }
            return seconds
        }
        return [
            BenchmarkRow(
                name: "derive, hash and deduplicate (\(distinct) distinct states), one core",
                value: Double(states) / seconds / 1e6, unit: "M states/s", baseline: "the aim", baselineValue: 5,
                aim: .atLeast(5)),
            BenchmarkRow(
                name: "memory for \(distinct) distinct states", value: megabytes, unit: "MB",
                baseline: "16 bytes for each, the hashes alone", baselineValue: Double(distinct) * 16 / 1e6,
                aim: .atMost(1074 * Double(states) / 1e7)),
        ]
    }

    /// Explores the default workload for so many seconds, under a profile and limits that do not run out of states.
    private func exploring(_ name: String, _ target: ConfiguredTarget, aim: Double) throws -> [BenchmarkRow] {
        let states = try Self.middle(by: \.ratePerSecond) { try explore(target).states }
        return [
            BenchmarkRow(
                name: "\(name): distinct states recovered and validated", value: states.ratePerSecond,
                unit: "states/s", baseline: "CrashMonkey, as published", baselineValue: Self.crashMonkey,
                aim: .atLeast(aim)),
            BenchmarkRow(
                name: "\(name): states decided", value: states.decidedPerSecond, unit: "states/s",
                baseline: "checked ones of the same run", baselineValue: states.ratePerSecond,
                aim: .ratioAtLeast(1)),
        ]
    }

    private func explore(_ target: ConfiguredTarget) throws -> RunResult {
        var scenario = ExploreScenario()
        scenario.budget = RunBudget(seconds: seconds, allowsPartial: true)
        return try explore(
            RunRequest(
                target: target, scenario: scenario, profile: .posixMin, contract: target.contract, operationCount: 100))
    }

    /// Runs and removes the run. Throws for any other verdict than `verdicts`.
    package func explore(_ request: RunRequest, allowing verdicts: Set<Verdict> = [.pass]) throws -> RunResult {
        let session = RunSession(parent: RunDirectory.parent(option: nil), program: "faultline", wording: wording)
        let result = session.run(request)
        if let directory = result.directory { try TreeRemoval.remove(ByteString(directory)) }
        guard verdicts.contains(result.verdict) else {
            throw RunError.harness(result.reason ?? result.verdict.rawValue)
        }
        return result
    }

    /// The engine's recover command, spawned for each state, beside the same spawning and nothing else.
    private func spawning() throws -> BenchmarkRow {
        var target = try targets.target("engine")
        target.recover.removeAll { $0 == "--persistent" }
        target.isPersistent = false
        var scenario = ExploreScenario()
        scenario.budget = RunBudget(seconds: seconds, allowsPartial: true)
        scenario.usesCommands = true
        let request = RunRequest(
            target: try target.configured(), scenario: scenario, contract: target.contract, operationCount: 40)
        // Measure in pairs, because the machine's speed varies.
        func pair() throws -> (rate: Double, bare: Double) {
            let before = try bareSpawns(request.target)
            let rate = try explore(request).states.ratePerSecond
            return (rate, (before + (try bareSpawns(request.target))) / 2)
        }
        let (rate, bare) = try Self.middle(by: { $0.rate / $0.bare }, pair)
        // Some states are recovered twice, so the number of spawns is higher than this by an uncounted number.
        return BenchmarkRow(
            name: "a command spawned for each state: states", value: rate, unit: "/s",
            baseline: "spawning it on an empty directory, on all cores, before and after",
            baselineValue: bare, aim: .ratioAtLeast(0.8))
    }

    private func bareSpawns(_ target: ConfiguredTarget) throws -> Double {
        let run = try RunDirectory(in: RunDirectory.parent(option: nil), target: "bench", scenario: "spawn", seed: 1)
        defer {
            try? run.finish()
            try? TreeRemoval.remove(run.path)
        }
        let scratch = try run.makeScratch()
        let workers = ProcessInfo.processInfo.activeProcessorCount
        for worker in 0..<workers { try RunFiles.makeDirectory(scratch.appending(component: ByteString("\(worker)"))) }
        let client = RecoverClient(target)
        let count = 200
        let began = MonotonicTime.seconds()
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            let directory = scratch.appending(component: ByteString("\(worker)"))
            for _ in 0..<count { _ = try? client.recoverAlone(directory) }
        }
        return Double(count * workers) / (MonotonicTime.seconds() - began)
    }
}
