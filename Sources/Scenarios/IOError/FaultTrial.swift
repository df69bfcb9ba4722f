import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Oracle
import Runs
import Storage
import Targets

/// Runs a store with faults: a life under the rules, a recovery under the rules, and a life without them. All are on
/// one mount, so that the kernel's cache survives between them, as on a machine that stays up.
package struct FaultTrial {
    /// The result of a trial.
    package struct Outcome {
        package var recording: Recording
        /// The rules with their counts of matches, and the injected faults in order.
        package var rules: [RuleSet.Status]
        package var faults: [InjectedFault]
        /// The oracle history, with the restart between the two lives.
        package var history: OracleHistory
        /// The life under the rules.
        var first: Life
        /// The recovery after the first life, under the rules; nil if there was none.
        var underRules: RecoverOutcome?
        /// The number of events in the trace when that recovery had ended.
        var underRulesEventCount: Int
        /// The life without the rules; nil if there was none.
        var second: Life?

        package var firedCount: UInt64 { rules.reduce(0) { $0 + $1.fired } }

        /// The time for which the rules alone may have blocked the store during these events, in seconds: the longest
        /// delay of one operation, or the sum of delays after the last oracle line, whichever is longer.
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

    /// One life of the store: a run of the workload, from opening the store to the end of the process.
    struct Life {
        package var end: WorkloadEnd
        /// The number of events and of oracle lines at the end of the life.
        package var eventCount: Int
        package var lineCount: Int

        package var termination: Termination { end.termination }
    }

    package let request: RunRequest
    package let context: RunContext
    /// The base name of its files.
    package let name: String
    /// Whether to run a second life, without the rules.
    var hasSecondLife = true

    package var trace: ByteString { context.file("\(name).trace") }
    package var oracle: ByteString { context.file("\(name).oracle.jsonl") }
    package var backing: ByteString { context.scratchFile(name) }

    /// The number of operations of the second life: enough to write every key and to compact once or twice.
    private var secondOperationCount: UInt64 { max(10, request.operationCount / 2) }

    /// Runs the trial in an empty directory, and leaves the store in `backing`. Throws `MountError.rule` for a rule
    /// that the mount does not support.
    package func run(_ rules: [Rule]) throws -> Outcome {
        try request.target.makeStore(at: backing)
        let sink = try FileTrace(creating: trace)
        let mountPoint = context.scratchFile("mount")
        try RunFiles.makeDirectory(mountPoint)
        defer { try? TreeRemoval.remove(mountPoint) }
        var options = MountOptions()
        options.trace = sink
        options.allowOther = request.target.target.user != nil
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
            try history.readAll()
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
        var recording = try Recording(tracePath: trace, context.memory)
        recording.ignoreFiles(of: request.target)
        return Outcome(
            recording: recording, rules: status, faults: faults, history: history,
            first: first, underRules: underRules, underRulesEventCount: underRulesEventCount, second: second)
    }

    /// Removes the files of the trial. Cases have their own copies.
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
        try history.readAll()
        return Life(
            end: WorkloadEnd(termination, errorOutput: workload.errorOutput), eventCount: mount.eventCount,
            lineCount: history.lineCount)
    }
}
