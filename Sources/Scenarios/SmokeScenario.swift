import Bytes
import Oracle
import Storage
import Targets

/// No fault: the workload runs to its end on a plain directory, the store is opened again, and everything must be
/// there. A store that fails here fails for another reason than crashes, or the harness is wrong.
struct SmokeScenario: ScenarioRun {
    let request: RunRequest
    let context: RunContext
    private(set) var tally = RunTally()

    init(_ request: RunRequest, _ context: RunContext) {
        self.request = request
        self.context = context
    }

    mutating func run() throws {
        let store = context.scratchFile("store")
        let oracle = context.oracle
        try RunFiles.makeDirectory(store)
        let environment = WorkloadEnvironment(
            directory: store, oracle: oracle, seed: request.seed, operationCount: request.operationCount,
            oracleMayShareFilesystem: true)
        let workload = try WorkloadRun(request.target, environment)
        guard let termination = try workload.finish(watching: oracle, shouldStop: context.shouldStop) else {
            throw RunError.interrupted
        }
        guard termination.isSuccess else {
            let said = workload.complaints.isEmpty ? "" : "; it said: \(workload.complaints)"
            throw RunError.harness("the workload \(termination) without any fault\(said)")
        }
        var history = OracleHistory()
        try history.append(try RunFiles.read(oracle))
        guard history.acknowledged > 0 else {
            throw RunError.inconclusive("the workload acknowledged nothing, so that nothing was checked")
        }
        let client = RecoverClient(request.target)
        let first = try client.recoverAlone(store)
        var evidence = Evidence(first.recovery)
        if case .opened = first { evidence.secondRecovery = try client.recoverAlone(store).recovery }
        let judgement = history.validator.judge(evidence, contract: request.contract)
        tally.acknowledged = history.acknowledged
        (tally.decided, tally.checked) = (1, 1)
        tally.unjudged.formUnion(judgement.unjudged.values)
        tally.notTried.formUnion(judgement.notTried)
        if judgement.verdict == .pass {
            tally.control(history.validator, evidence, request.contract, at: history.lineCount)
        }
        for violation in judgement.violations {
            tally.add(
                Finding(
                    check: violation.check.rawValue, strongestProfile: "none", lost: [],
                    story: "without any fault: \(violation)", states: 1))
        }
    }
}
