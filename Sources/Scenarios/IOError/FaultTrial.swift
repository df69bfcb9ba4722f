import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Oracle
import Runs
import Storage
import Targets

/// A store meets one fault: a life under the rules, a look at it while they hold, and a life after they are gone, all
/// on one mount, so that what the kernel has cached survives from one to the next as it does on a machine that stays
/// up.
package struct FaultTrial {
    /// How it went.
    package struct Outcome {
        package var recording: Recording
        /// The rules with what they matched and fired, and what happened, operation by operation.
        package var rules: [RuleSet.Status]
        package var faults: [InjectedFault]
        /// Everything that was promised, with the restart between the two lives.
        package var history: OracleHistory
        /// The life under the rules, and what it said.
        var first: Life
        /// What the store showed right after it, with the rules still there; nil where nobody looked.
        var underRules: RecoverOutcome?
        /// How many events there were then.
        var underRulesEventCount: Int
        /// The life after; nil where there was none.
        var second: Life?

        package var firedCount: UInt64 { rules.reduce(0) { $0 + $1.fired } }

        /// For how long the rules alone may have kept the store from going on, in these events: their longest delay, or
        /// all those after the last oracle line.
        func delaySeconds(in events: Range<Int>) -> Double {
            var delays: [OperationID: Double] = [:]
            for fault in faults {
                guard case .delay(let duration) = fault.fault else { continue }
                delays[fault.operation, default: 0] += Double(duration) / 1e9
            }
            guard !delays.isEmpty else { return 0 }
            var (longest, sinceLine) = (0.0, 0.0)
            for event in recording.events[events] {
                switch event {
                case .oracle: sinceLine = 0
                case .fault(let operation, _):
                    guard let delay = delays.removeValue(forKey: operation) else { continue }
                    longest = max(longest, delay)
                    sinceLine += delay
                default: continue
                }
            }
            return max(longest, sinceLine)
        }
    }

    /// One life of the store.
    struct Life {
        package var end: WorkloadEnd
        /// How many events and oracle lines there were when it had ended.
        package var eventCount: Int
        package var lineCount: Int

        package var termination: Termination { end.termination }
    }

    package let request: RunRequest
    package let context: RunContext
    /// What its files are called.
    package let name: String
    /// Whether there is a life after the rules are gone.
    var hasSecondLife = true

    package var trace: ByteString { context.file("\(name).trace") }
    package var oracle: ByteString { context.file("\(name).oracle.jsonl") }
    package var backing: ByteString { context.scratchFile(name) }

    /// How many operations the second life does: enough to write every key and go through a compaction or two.
    private var secondOperationCount: UInt64 { max(10, request.operationCount / 2) }

    /// Begins with an empty directory, and leaves the store's in `backing`. A rule that the mount cannot carry out is a
    /// `MountError.rule`.
    package func run(_ rules: [Rule]) throws -> Outcome {
        try RunFiles.makeDirectory(backing)
        let sink = try FileTrace(creating: trace)
        let mountPoint = context.scratchFile("mount")
        try RunFiles.makeDirectory(mountPoint)
        defer { try? TreeRemoval.remove(mountPoint) }
        var options = MountOptions()
        options.trace = sink
        options.oraclePath = oracle
        options.rules = rules
        options.seed = request.seed
        options.profile = request.profile
        options.syncsBelow = false
        options.judgeOracleLine = OracleLine.judge
        let mount = try FaultMount(backing: backing, mountPoint: mountPoint, options: options)
        try context.willMount(mountPoint)
        try mount.start()
        defer { try? mount.unmount() }

        var history = OracleHistory(oracle, context.memory)
        let first = try live(mount, request.operationCount, &history)
        let links = try Tree(skeletonOf: backing).escapingLinks()
        let client = try RecoverClient(request.target).confined(for: links, in: context.scratch)
        let underRules = try client.recoverAlone(mountPoint)
        let underRulesEventCount = mount.eventCount
        let status = mount.ruleStatus
        let faults = mount.injectedFaults
        mount.clearRules()
        var second: Life?
        if hasSecondLife, !mount.isFrozen {
            try mount.appendToOracle(OracleLine.restart.encoded)
            try history.takeAll()
            second = try live(mount, secondOperationCount, &history)
        }
        let (isFrozen, whyFrozen) = (mount.isFrozen, mount.freezeReason)
        try mount.unmount()
        try context.didUnmount(mountPoint)
        if isFrozen {
            let reason = whyFrozen.map { ", \($0)" } ?? ""
            throw RunError.harness("the power of the mount is off\(reason)")
        }
        try sink.finish()
        return Outcome(
            recording: try Recording(tracePath: trace, context.memory), rules: status, faults: faults, history: history,
            first: first, underRules: underRules, underRulesEventCount: underRulesEventCount, second: second)
    }

    /// Takes away what the trial left. Cases keep what they need under names of their own.
    package func remove() throws {
        try? TreeRemoval.remove(backing)
        for path in [trace, oracle] { try RunFiles.remove(path) }
    }

    private func live(_ mount: FaultMount, _ count: UInt64, _ history: inout OracleHistory) throws -> Life {
        let environment = request.environment(
            mount.mountPoint, oracle: mount.mountPoint.appending(component: ".faultline/oracle"),
            firstSeq: history.nextSeq, operations: count)
        let workload = try WorkloadRun(request.target, environment)
        let ended = try workload.finish(
            watching: oracle, shouldStop: context.shouldStop, afterSignal: { mount.endDelays() })
        guard let termination = ended else { throw RunError.interrupted }
        try RunError.checkOracle(of: mount)
        try history.takeAll()
        return Life(
            end: WorkloadEnd(termination, saying: workload.errorOutput), eventCount: mount.eventCount,
            lineCount: history.lineCount)
    }
}
