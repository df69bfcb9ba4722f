import Bytes
import Exploration
import Foundation
import Oracle
import Storage
import Targets

/// One run is recorded, and every state that a crash could have left of it is checked, or it is said which were not.
struct ExploreScenario: ScenarioRun {
    let request: RunRequest
    let context: RunContext
    let program: String
    private(set) var tally = RunTally()

    init(_ request: RunRequest, _ context: RunContext, program: String) {
        self.request = request
        self.context = context
        self.program = program
    }

    mutating func run() throws {
        let backing = context.scratchFile("store")
        try RunFiles.makeDirectory(backing)
        let states = context.scratchFile("states")
        try RunFiles.makeDirectory(states)
        try RunFiles.makeDirectory(states.appending(component: "confirm"))
        context.progress("recording")
        let cycle = LiveCycle(request: request, context: context, backing: backing, oracle: context.oracle)
        let life = try cycle.run(named: "recorded", firstSeq: 1, crash: nil)
        guard life.termination.isSuccess else {
            let said = life.complaints.isEmpty ? "" : "; it said: \(life.complaints)"
            throw RunError.harness("the workload \(life.termination) without any fault\(said)")
        }
        var history = OracleHistory()
        try history.append(try RunFiles.read(context.oracle))
        tally.acknowledged = history.acknowledged
        let client = RecoverClient(request.target)
        defer { try? client.close() }
        let explorer = Explorer(
            life.recording, profile: request.profile, limits: request.exploration, seed: request.seed, client: client,
            validator: history.validator, contract: request.contract, linesBefore: 0, scratch: states,
            workers: ProcessInfo.processInfo.activeProcessorCount)
        let end = request.exploration.budgetSeconds.map { ScenarioRunner.now() + Double($0) }
        let outcome = Result {
            try explorer.run(
                shouldStop: {
                    if context.shouldStop() { return "interrupted" }
                    return end.map { ScenarioRunner.now() >= $0 } == true ? "the budget is used up" : nil
                }, progress: context.progress)
        }
        count(explorer, history)
        try report(explorer, life, history)
        try outcome.get()
        if context.shouldStop() { throw RunError.interrupted }
    }

    private mutating func count(_ explorer: Explorer, _ history: OracleHistory) {
        tally.decided = explorer.decidedCount
        tally.checked = explorer.checkedCount
        tally.statesWithLosses = explorer.lossyCount
        tally.coverage = explorer.coverage
        tally.unjudged = explorer.unjudged
        tally.notTried = explorer.notTried
        tally.unconfirmed = explorer.collector.unconfirmedCount
        if let clean = explorer.clean {
            tally.control(history.validator, clean.evidence, request.contract, at: clean.line)
        }
    }

    private mutating func report(_ explorer: Explorer, _ life: LiveCycle.Outcome, _ history: OracleHistory) throws {
        let writer = CaseWriter(request: request, context: context, program: program)
        for cause in explorer.collector.causes {
            let oracle = history.text(firstLines: cause.state.oracleLineCount)
            try tally.add(cause) { try writer.write(cause, life.recording, oracle: oracle, shown: nil) }
        }
    }
}
