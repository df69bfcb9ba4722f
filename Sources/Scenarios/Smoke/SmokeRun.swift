import Bytes
import Machine
import Oracle
import Runs
import Storage
import Targets

/// No fault: the workload runs to its end in a plain directory, and after a reopen everything must be there. Then the
/// store takes some more writes, which must be there after another reopen.
///
/// A failure here has nothing to do with crashes. For a user's target it is a harness error that points at the driver.
/// The built-in drivers are known to be correct, so for them it is a finding: a planted bug that needs no crash.
struct SmokeRun: ScenarioRun {
    package let request: RunRequest
    package let context: RunContext
    package private(set) var tally = RunTally()

    package init(_ request: RunRequest, _ context: RunContext) {
        self.request = request
        self.context = context
    }

    /// The most operations that the second life does, on the reopened store.
    private static let secondLifeOperations: UInt64 = 20

    private var store: ByteString { context.scratchFile("store") }

    package mutating func run() throws {
        try request.target.makeStore(at: store)
        var history = OracleHistory(context.oracle, context.memory)
        let first = try runWorkload(&history, operations: request.operationCount)
        guard first.termination.isSuccess else {
            throw RunError.failedWithoutFault(
                first, wroteLines: history.lineCount,
                refusal: refusal(in: history).map { OracleText.quotation(of: $0, in: context.oracle) })
        }
        guard history.acknowledged > 0 else {
            let wrote = history.lineCount == 0 ? "wrote no oracle line" : "acknowledged nothing"
            throw RunError.inconclusive("the workload \(wrote), so that nothing was checked")
        }
        let client = RecoverClient(request.target)
        guard let shown = try judge(history, client, isSecondLife: false), tally.findings.isEmpty else { return }
        try history.restart(showing: shown)
        let second = try runWorkload(&history, operations: min(request.operationCount, SmokeRun.secondLifeOperations))
        guard second.termination.isSuccess else {
            try context.requireRoom("the workload")
            let detail = context.wording.words(for: .workloadFailed(after: .reopening, second))
            return try report([Violation(check: .writable, line: refusal(in: history), detail: detail)])
        }
        _ = try judge(history, client, isSecondLife: true)
    }

    /// Runs the workload and reads the oracle lines that it wrote.
    private mutating func runWorkload(
        _ history: inout OracleHistory, operations: UInt64
    ) throws -> WorkloadEnd {
        let environment = request.environment(
            store, oracle: context.oracle, firstSeq: history.nextSeq, operations: operations, oracleMayShare: true)
        let workload = try WorkloadRun(request.target, environment)
        guard let termination = try workload.finish(watching: context.oracle, shouldStop: context.shouldStop) else {
            throw RunError.interrupted
        }
        try history.readNewLines()
        tally.acknowledged = history.acknowledged
        return WorkloadEnd(termination, errorOutput: workload.errorOutput)
    }

    /// Recovers the store twice and judges the result. Returns the first observation; nil if the store does not open.
    private mutating func judge(
        _ history: OracleHistory, _ client: RecoverClient, isSecondLife: Bool
    ) throws -> Observation? {
        let first = try client.recoverAlone(store)
        if !isSecondLife { try RecoveryControl(request, context).require(first.recovery) }
        var evidence = Evidence(first.recovery)
        if case .opened = first { evidence.secondRecovery = try client.recoverAlone(store).recovery }
        if !evidence.isOpenThroughout { try context.requireRoom("recovering the store") }
        if isSecondLife { tally.noteWrites(afterRecoveryIn: &evidence, history.validator, request.contract) }
        let judgement = history.validator.judge(evidence, contract: request.contract)
        tally.counts.decided += 1
        tally.counts.checked += 1
        tally.unjudged.formUnion(judgement.unjudged.values)
        tally.notTried.formUnion(judgement.notTried)
        if judgement.verdict == .pass {
            tally.control(history.validator, evidence, request.contract, at: history.lineCount)
        }
        try report(judgement.violations)
        guard case .opened(let observation) = first else { return nil }
        return observation
    }

    /// Reports violations that no fault caused: a harness error for a user's target, findings for a built-in one.
    private mutating func report(_ violations: [Violation]) throws {
        guard !violations.isEmpty else { return }
        guard request.target.target.manifest == nil else {
            throw RunError.harness(context.wording.diagnosis(of: violations, oracle: context.oracle))
        }
        for violation in violations {
            tally.add(
                Finding(
                    check: violation.check, strongestProfile: .noCrash, lost: [],
                    story: context.wording.words(for: .withoutFault(violation)), states: 1))
        }
    }

    /// The number of the oracle's last line, if it is a refusal.
    private func refusal(in history: OracleHistory) -> Int? {
        guard let line = OracleText.line(history.lineCount, of: context.oracle),
            case .failed? = try? OracleLine.parse(line, line: history.lineCount)
        else { return nil }
        return history.lineCount
    }
}
