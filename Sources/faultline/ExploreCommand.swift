import ArgumentParser
import Bytes
import Exploration
import Oracle
import Report
import Scenarios
import Targets

struct ExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore",
        abstract: "Records one run and checks every disk state that a crash could have left of it.",
        discussion: """
              faultline explore sqlite --set journal_mode=wal
              faultline explore ./my-store.yaml --profile xfs --budget 60s
              faultline explore ./my-store.yaml --profile all

            What was not looked at is always said: `exhaustive 812/815 epochs; 3 bounded (…)`. A run whose budget ended \
            before every epoch was explored is inconclusive: --resume continues it, --partial accepts it. \
            docs/exploring.md: how to read the output and how far to trust it.
            """)

    @Argument(help: "The target: a name that `faultline targets` lists, or the path of a manifest (docs/targets.md).")
    var target: String

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "What the store is held to; by default what its documentation promises.")
    var contract: Contract?

    @Option(
        help: """
            Stop after so much time of checking, such as 60s or 10m, and say what was left out. A finding that is being made \
            smaller, or a recovery that is crashed, is brought to its end.
            """)
    var budget: TimeSpan?

    @Option(help: "An epoch with more states than this is searched and not exhausted.")
    var epochStates = ExplorationLimits().statesPerEpoch

    @Option(help: "Seeded choices for each epoch that is searched.")
    var samples = ExplorationLimits().samplesPerEpoch

    @Option(help: "Stop after so many distinct states, and say what was left out.")
    var states: Int?

    @Option(
        help: """
            How many states may hang in recovery, each for the target's whole timeout, before it ends. Each is a finding.
            """)
    var hangs = ExplorationLimits.usualHangs

    @Flag(
        help: """
            Call it a pass although the budget left epochs unexplored; the verdict then says how many were explored. Without \
            this such a run is inconclusive (exit 3).
            """)
    var partial = false

    @Option(
        help: """
            Go on with the run in this directory, which was stopped by a budget or by Ctrl-C; give the options that it had.
            """)
    var resume: ByteString?

    @Option(help: "2: crash the recovery of each distinct state, too.")
    var depth = 1

    @Flag(help: "After each recovery write a key, cut the power again, and see that it is there.")
    var writable = false

    @Option(help: "A fault of the recorded run, such as 'fsync path=*.log nth=3 -> EIO lose'.")
    var rule: [String] = []

    @Flag(
        help: """
            Drive engine and events through their commands on a FUSE mount, as any other target, and not inside this \
            process.
            """)
    var commands = false

    @Option(help: "`small`: instead of one workload every sequence of --length small steps (engine and events).")
    var workloads: Workloads?

    @Option(help: "How many steps a small workload has.")
    var length = 3

    enum Workloads: String, ExpressibleByArgument { case small }

    @OptionGroup var options: RunOptions

    func validate() throws {
        guard (1...100_000_000).contains(epochStates) else {
            throw ValidationError("--epoch-states must be from 1 to 100000000")
        }
        guard (0...1_000_000).contains(samples) else { throw ValidationError("--samples must be from 0 to 1000000") }
        guard (1...1000).contains(hangs) else { throw ValidationError("--hangs must be from 1 to 1000") }
        guard states ?? 1 > 0 else { throw ValidationError("--states must be at least 1") }
        guard (1...6).contains(length) else { throw ValidationError("--length must be from 1 to 6") }
        guard (1...2).contains(depth) else { throw ValidationError("--depth must be 1 or 2") }
        guard resume == nil || workloads == nil else {
            throw ValidationError("--resume goes on with one workload; --workloads small are many")
        }
        guard options.profile != .all || depth == 1 && !writable && workloads == nil else {
            throw ValidationError("--profile all goes with none of --depth 2, --writable and --workloads small")
        }
        guard options.cycles == nil else {
            throw ValidationError("--cycles is for live cuts; explore records one life")
        }
    }

    func run() throws {
        var target = try TargetCatalog.besideThisProgram().target(target).configured(settings)
        if !options.sandbox.isOn { target.confinement = .none }
        if commands || target.builtInStore == nil { try RunCommand.refuse(.explore) }
        var request = RunRequest(
            target: target, scenario: .explore, profile: .ext4Ordered, contract: contract ?? target.contract,
            seed: options.seed, operationCount: options.operationCount)
        switch options.profile {
        case .one(let profile): request.profile = profile
        case .all: request.usesEveryProfile = true
        }
        request.shape.valueBytes = options.valueLen
        request.exploration.budgetSeconds = budget?.seconds
        request.exploration.statesPerEpoch = epochStates
        request.exploration.samplesPerEpoch = samples
        request.exploration.budgetStates = states
        request.exploration.hangsAtMost = hangs
        request.exploration.smallWorkloadSteps = workloads == nil ? nil : length
        request.exploration.depth = depth
        request.exploration.probesWriting = writable
        request.exploration.usesCommands = commands
        request.shape.threadCount = options.threads
        guard request.storeInMemory == nil || options.threads == 1 else {
            throw ValidationError("--threads: a store in memory is explored with one client; take --commands")
        }
        request.acceptsPartial = partial
        request.resumed = try resume.map { try ArgumentPath.existing($0) }
        request.exploration.rules = try RuleArguments.rules(rule, file: nil)
        if let crash = request.exploration.rules.first(where: \.cutsPower) {
            throw ValidationError(
                "--rule: '\(crash)' cuts the power, and explore tries that at every moment of the run by itself; "
                    + "name a fault that the store lives on with, such as 'fsync nth=3 -> EIO lose'")
        }
        if let objection = options.session.objection(to: request) { throw ValidationError(objection) }
        try RunCommand.runAndReport(request, options)
    }
}
