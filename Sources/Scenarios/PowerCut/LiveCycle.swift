import Bytes
import Exploration
import FaultFS
import Glibc
import Model
import Oracle
import Platform
import Runs
import Storage
import Targets

/// One life of a store on a mount: mounts, runs the workload or recovers, perhaps cuts the power, and unmounts.
package struct LiveCycle {
    /// A power cut.
    package struct Crash {
        var trigger: CutPlacement.Trigger
        /// The changes that survive.
        package var choice: Choice

        package init(trigger: CutPlacement.Trigger, choice: Choice) {
            self.trigger = trigger
            self.choice = choice
        }
    }

    /// The result of a life.
    struct Life {
        package var recording: Recording
        /// The power cut; nil if the life ended before it.
        package var cut: PowerCut?
        /// The last injected fault: the power cut, if a rule made it; nil if no rule fired.
        package var fault: InjectedFault?
        /// Every injected fault, in order, and the rules with their counts of matches.
        var faults: [InjectedFault] = []
        var rules: [RuleSet.Status] = []

        /// The operation or event that the cut hit.
        package var hit: CutHit? {
            guard let cut else { return nil }
            return fault.map(CutHit.operation) ?? .event(cut.eventCount, recording)
        }
    }

    /// The result of a life with a workload.
    package struct Outcome {
        var life: Life
        package var end: WorkloadEnd

        package var termination: Termination { end.termination }
        package var recording: Recording { life.recording }
        package var cut: PowerCut? { life.cut }
    }

    package let request: RunRequest
    package let context: RunContext
    /// The directory of the store's files.
    package let backing: ByteString
    /// The path of the oracle.
    package let oracle: ByteString
    /// The fault rules of a life without a power cut.
    var rules: [Rule]
    /// The file for the durations of the store's calls; nil for none.
    var timings: ByteString?
    /// Whether to run the target's init command on the mount, before the workload.
    var runsInit = false
    /// Receives the workload as soon as it runs.
    var onStart: (@Sendable (WorkloadRun) -> Void)?

    package init(
        request: RunRequest, context: RunContext, backing: ByteString, oracle: ByteString, rules: [Rule] = []
    ) {
        self.rules = rules
        self.request = request
        self.context = context
        self.backing = backing
        self.oracle = oracle
    }

    /// Runs the workload once. A crash cuts the power: it kills the workload and leaves the chosen state. Without a
    /// crash, or if the workload ends before it, all changes are kept.
    package func run(named name: String, firstSeq: UInt64, crash: Crash?) throws -> Outcome {
        let workload = Workload()
        let (life, termination) = try onMount(name, crash, killing: workload) { mountPoint in
            var environment = request.environment(
                mountPoint, oracle: mountPoint.appending(component: ".faultline/oracle"), firstSeq: firstSeq)
            environment.timings = timings
            if runsInit { try request.target.initialise(mountPoint) }
            return try workload.run(request, environment, oracle: oracle, context.shouldStop, onStart)
        }
        return Outcome(life: life, end: WorkloadEnd(termination, errorOutput: workload.errorOutput))
    }

    /// Recovers the store. After a power cut all calls on the mount fail, which ends the recovery.
    ///
    /// - Parameter links: the links of `backing` that lead out of it.
    func recover(
        named name: String, holding links: [EscapingLink], crash: Crash?
    ) throws -> (life: Life, outcome: RecoverOutcome) {
        let target = try request.target.confined(for: links, in: context.scratch)
        return try onMount(name, crash, killing: nil) { try RecoverClient(target).recoverAlone($0) }
    }

    private func onMount<Result>(
        _ name: String, _ crash: Crash?, killing workload: Workload?, _ body: (ByteString) throws -> Result
    ) throws -> (Life, Result) {
        var options = MountOptions()
        options.oraclePath = oracle
        switch crash?.trigger {
        case .point(let point)?: options.crashPoint = point
        case .rule(let rule)?: options.rules = [rule]
        case nil: options.rules = rules
        }
        options.profile = request.profile
        options.seed = request.seed
        options.onFreeze = { _ in workload?.kill() }
        let place = RecordedMount(
            context: context, backing: backing, mountPoint: context.scratchFile("mount"),
            trace: context.file("\(name).trace"), target: request.target)
        let (recording, end) = try place.record(options) { mount in
            let result = try body(place.mountPoint)
            let cut = mount.isFrozen ? try crash.map { try mount.cutPower(request.profile, $0.choice) } : nil
            return (cut: cut, faults: mount.injectedFaults, rules: mount.ruleStatus, result: result)
        }
        let life = Life(
            recording: recording, cut: end.cut, fault: end.faults.last, faults: end.faults, rules: end.rules)
        return (life, end.result)
    }
}

/// The process of a workload. A power cut may kill it from another thread before its start is known.
private final class Workload: Sendable {
    private struct State {
        var run: WorkloadRun?
        var isPowerGone = false
    }
    private let state = Guarded(State())

    var errorOutput: String { state.withLock { $0.run?.errorOutput ?? "" } }

    /// Kills the process group now, or as soon as it starts.
    func kill() {
        let run = state.withLock { state in
            state.isPowerGone = true
            return state.run
        }
        _ = try? run?.kill()
    }

    func run(
        _ request: RunRequest, _ environment: WorkloadEnvironment, oracle: ByteString,
        _ shouldStop: @Sendable () -> Bool, _ onStart: (@Sendable (WorkloadRun) -> Void)?
    ) throws -> Termination {
        // The power may go while a server starts.
        let run = try WorkloadRun(
            request.target, environment, shouldStop: { shouldStop() || state.withLock { $0.isPowerGone } })
        let isPowerGone = state.withLock { state in
            state.run = run
            return state.isPowerGone
        }
        if isPowerGone { return try run.kill() }
        onStart?(run)
        guard let termination = try run.finish(watching: oracle, shouldStop: shouldStop) else {
            throw RunError.interrupted
        }
        return termination
    }
}
