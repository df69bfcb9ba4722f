import Bytes
import Model
import Runs

extension ScenarioName {
    package static let kill = ScenarioName(rawValue: "kill")
}

/// Kills the process. Everything that it wrote is kept.
package struct KillScenario: Scenario {
    package static let name = ScenarioName.kill
    package static let summary =
        "SIGKILL in the middle of the workload: what was written is kept, what was in memory is lost"
    package static let failureMode = FailureMode.processKill

    /// The number of kills. Each continues with the state that the one before left.
    package var killCount = 10
    /// The event at which the process is killed; nil for seeded times.
    package var trigger: KillTrigger?

    package init() {}

    package init(killCount: Int, trigger: KillTrigger? = nil) {
        self.killCount = killCount
        self.trigger = trigger
    }

    package static let options: [ScenarioOption<KillScenario>] = [
        .integer(
            "cycles", \.killCount, in: 0...1000, default: "10",
            "how often the process is killed, each time continuing on what survived"
        ).kept(as: "cycles").alwaysPrinted,
        ScenarioOption(
            "kill-at-ack", .integer, "count",
            """
            kill once so many operations of a life are acknowledged and the next has begun (default: at seeded times, which \
            land elsewhere each time). Exact for a workload that stops at FAULTLINE_ACKS, as the built-in ones do; the result \
            says how much later others were killed
            """
        ) { (scenario, texts) throws(OptionProblem) in
            let count = try OptionText.integer(texts, of: "kill-at-ack", in: 1...1_000_000)
            scenario.trigger = .acknowledgement(UInt64(count))
        } texts: { scenario in
            if case .acknowledgement(let count)? = scenario.trigger { ["\(count)"] } else { [] }
        }.kept(as: "killAtAcknowledgement").excluding("kill-at-file"),
        ScenarioOption(
            "kill-at-file", .text, "glob",
            "kill as soon as the store has a new file that matches: in the middle of what makes it"
        ) { (scenario, texts) throws(OptionProblem) in
            let text = texts.last ?? ""
            guard let glob = try? Glob(parsing: ByteString(text)) else {
                throw OptionProblem(
                    "kill-at-file",
                    "\(option: "kill-at-file") is a pattern of a path in the store, such as *.log, not \(text)")
            }
            scenario.trigger = .newFile(glob)
        } texts: { scenario in
            if case .newFile(let glob)? = scenario.trigger { ["\(glob)"] } else { [] }
        }.kept(as: "killAtFile"),
    ]

    package func optionProblem(
        in request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? {
        // A matrix may request only `KillBoundaries`.
        if place == .commandLine, killCount == 0 {
            return OptionProblem(
                "cycles", "\(option: "cycles") 0 asks for no kill: \(option: "scenario") smoke runs without faults")
        }
        if place != nil, case .acknowledgement(let count)? = trigger, count >= request.operationCount {
            let most = request.operationCount - 1
            return OptionProblem(
                "kill-at-ack",
                most == 0
                    ? "\(option: "kill-at-ack") needs \(option: "ops") above 1"
                    : """
                    \(option: "kill-at-ack") must be a whole number from 1 to \(most), or no kill lands in the middle of the work
                    """)
        }
        return nil
    }

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        KillRun(self, request, context, program: program)
    }

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? {
        if killCount > 0, tally.cutsLanded == 0 { return .noKillLanded }
        return tally.cutsLanded * 2 < tally.cuts.count ? .fewKillsLanded(tally.cutsLanded, of: tally.cuts.count) : nil
    }
}
