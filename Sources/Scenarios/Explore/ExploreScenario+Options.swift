import Bytes
import Exploration
import Glibc
import Model
import Platform

extension ExploreScenario {
    package static let options = blockOptions + workloadOptions + budgets + limitOptions

    private static let workloadOptions: [ScenarioOption<ExploreScenario>] =
        [
            .integer(
                "epoch-states", \.limits.statesPerEpoch, in: 1...100_000_000,
                default: "\(ExplorationLimits().statesPerEpoch)",
                "an epoch with more states than this is searched and not exhausted"
            ).kept(as: "exploration.statesPerEpoch").alwaysPrinted,
            .integer(
                "samples", \.limits.samplesPerEpoch, in: 0...1_000_000,
                default: "\(ExplorationLimits().samplesPerEpoch)", "seeded choices for each epoch that is searched"
            ).kept(as: "exploration.samplesPerEpoch").alwaysPrinted,
            .integer(
                "depth", \.limits.depth, in: 1...2, default: "1", "2 crashes the recovery of each distinct state, too"
            ).kept(as: "exploration.depth"),
            .flag(
                "writable", \.probesWriting,
                "after each recovery write a key, cut the power again, and see that it is there"
            ).kept(as: "exploration.probesWriting"),
            .withInit(\.includesInit).kept(as: "exploration.includesInit"),
            ScenarioOption(
                "workloads", .text, "small",
                "`small` takes, instead of one workload, every sequence of --length small steps (engine and events)"
            ) { (scenario, texts) throws(OptionProblem) in
                guard texts.last == "small" else {
                    throw OptionProblem("workloads", "\(option: "workloads") can be small, not \(texts.last ?? "")")
                }
                scenario.smallWorkloadSteps = defaultSteps
            } texts: {
                $0.smallWorkloadSteps == nil ? [] : ["small"]
            },
            .integer(
                "length", \.smallWorkloadSteps, in: 1...6,
                "how many steps a small workload has (default: \(defaultSteps))"
            ).kept(as: "exploration.smallWorkloadSteps").needing("workloads"),
            .flag(
                "commands", \.usesCommands,
                """
                drive engine and events through their commands on a FUSE mount, as any other target, and not inside this process
                """
            ).kept(as: "exploration.usesCommands"),
            ScenarioOption(
                "rule", .texts, "rule",
                "a fault of the recorded run, such as 'fsync path=*.log nth=3 -> EIO lose'; repeatable"
            ) { (scenario, texts) throws(OptionProblem) in
                scenario.rules = try OptionText.rules(
                    texts, of: "rule",
                    insteadOfCrash: """
                        , and explore tries that at every moment of the run by itself; name a fault that the store lives on \
                        with, such as 'fsync nth=3 -> EIO lose'
                        """)
            } texts: {
                $0.rules.map(\.description)
            }.kept(as: "exploration.rules"),
            .integer(
                "states", \.limits.budgetStates, in: 1...1_000_000_000,
                "stop after so many distinct states, and say what was left out"
            ).limiting,
        ]

    private static let budgets: [ScenarioOption<ExploreScenario>] = .budget(
        """
        stop after so much time of checking, such as 60s or 10m, and say what was left out. A finding that is being made \
        smaller, or a recovery that is crashed, is brought to its end
        """)

    private static let limitOptions: [ScenarioOption<ExploreScenario>] = [
        .integer(
            "hangs", \.limits.hangsAtMost, in: 1...1000, default: "\(ExplorationLimits.defaultHangs)",
            """
            how many states may hang in recovery, each for the target's whole timeout, before it ends. Each is a finding
            """
        ).limiting,
        .flag(
            "decide", \.limits.decides,
            """
            one recovery decides all states that agree on what it read, so that more epochs are exhausted (without --depth 2 and \
            --writable)
            """
        ),
        .flag(
            "no-fix", \.skipsFixes,
            """
            do not look, after the exploration, for the additional syncs with which no state would fail for a finding's cause
            """
        ).limiting.excluding("block"),
        .flag(
            "barriers", \.findsBarriers,
            """
            after the exploration leave out the syncs of each kind of file in turn, and say which of them some crash state needs
            """
        ).excluding("block", "workloads"),
        ScenarioOption(
            "resume", .text, "directory",
            """
            continue the run in this directory, which was stopped by a budget or by Ctrl-C; give the options that it had
            """
        ) { (scenario, texts) throws(OptionProblem) in
            let path = try OptionText.path(texts, of: "resume")
            guard let resolved = path.withCString({ realpath($0, nil) }) else {
                let reason = Errno(errno).description
                throw OptionProblem("resume", "\(option: "resume"): \(path): \(reason)")
            }
            defer { free(resolved) }
            scenario.resumed = ByteString(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
        } texts: { _ in
            // A resumed run prints the command of the whole run, without this option.
            []
        }.limiting.only(in: .commandLine).excluding("workloads"),
        .obsoleteCycles.only(in: .matrix),
    ]

    private static let defaultSteps = 3
}
