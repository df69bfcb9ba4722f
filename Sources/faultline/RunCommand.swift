import ArgumentParser
import Bytes
import Model
import Oracle
import Report
import Scenarios
import Targets

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs one target under one scenario and says whether it kept its promises.",
        discussion: """
              faultline run sqlite --set journal_mode=delete --set synchronous=full --scenario power-cut
              faultline run engine --scenario power-cut --profile posix-min
              faultline run engine --scenario power-cut --cut-at recovery --cut-at 'unlink nth=2 -> crash'

            The verdict is pass, violation, inconclusive (nothing was shown) or harness error. Each violation comes with \
            a case: a directory with the smallest crash that shows it and the command that shows it again. \
            `faultline targets` lists the targets and what can be set.
            """)

    @Argument(help: "The target: a name that `faultline targets` lists, or the path of a manifest (docs/targets.md).")
    var target: String

    @Option(help: "The way to fail the store.")
    var scenario: Scenario

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "What the store is held to; by default what its documentation promises.")
    var contract: Contract?

    @Option(
        help: """
            kill: kill once so many operations of a life are acknowledged and the next has begun (default: at seeded \
            times, which land elsewhere each time). Exact for a workload that stops at FAULTLINE_ACKS, as the built-in \
            ones do; the result says how much later others were killed.
            """)
    var killAtAck: UInt64?

    @Option(
        help: ArgumentHelp(
            "kill: kill as soon as the store has a new file that matches: in the middle of what makes it.",
            valueName: "glob"))
    var killAtFile: String?

    @Option(
        help: ArgumentHelp(
            """
            power-cut: where the power goes, and not at seeded moments and once at each of these: work (any seeded event), \
            create, rename, unlink (a seeded one of these in the middle of the work: a rotation, a checkpoint, a \
            compaction), recovery (at work, and again while the store recovers), or exactly here: a rule such as \
            'unlink path=*.log nth=2 -> crash' or '… -> crash after' (docs/fault-rules.md). Repeatable.
            """, valueName: "aim"))
    var cutAt: [String] = []

    @Option(
        help: ArgumentHelp(
            "io-error: inject by this rule, and not each family of faults in its turn; repeatable.", valueName: "rule"))
    var rule: [String] = []

    @Flag(
        help: """
            io-error: try each family of faults at every place where it can fire, and not at a few drawn ones. It takes a life \
            of the store for each write, sync, create and so on.
            """)
    var sweep = false

    @Option(help: "io-error: a file of rules, one a line (docs/fault-rules.md).")
    var rules: ByteString?

    @Option(
        help: """
            power-cut, io-error: after so much time, such as 60s or 10m, begin no further cut or fault, and say what was left \
            out. Without a finding such a run is inconclusive (exit 3).
            """)
    var budget: TimeSpan?

    @Flag(help: "Call it a pass although the budget left something out; the verdict then says how much was done.")
    var partial = false

    @OptionGroup var options: RunOptions

    func validate() throws {
        guard budget == nil && !partial || scenario == .powerCut || scenario == .ioError else {
            throw ValidationError(
                "--budget and --partial are for --scenario power-cut and io-error, and for `faultline explore`")
        }
        guard killAtAck == nil && killAtFile == nil || scenario == .kill else {
            throw ValidationError("--kill-at-ack and --kill-at-file are for --scenario kill")
        }
        guard killAtAck == nil || killAtFile == nil else {
            throw ValidationError("--kill-at-ack and --kill-at-file exclude each other")
        }
        guard (rule.isEmpty && rules == nil) || scenario == .ioError else {
            throw ValidationError("--rule and --rules are for --scenario io-error")
        }
        guard !sweep || scenario == .ioError && rule.isEmpty && rules == nil else {
            throw ValidationError("--sweep is for --scenario io-error without --rule and --rules")
        }
        guard options.threads == 1 || contract?.needsSingleWriter != true else {
            throw ValidationError("--contract ordered is for one client: several have no single order")
        }
        guard cutAt.isEmpty || options.cycles != 0 else {
            throw ValidationError("--cut-at asks for cuts, and --cycles 0 for none")
        }
        guard scenario != .kill || options.cycles != 0 else {
            throw ValidationError("--cycles 0 asks for no kill: --scenario smoke runs without faults")
        }
        guard cutAt.isEmpty || scenario == .powerCut else {
            throw ValidationError("--cut-at is for --scenario power-cut")
        }
        guard killAtAck ?? 1 > 0, killAtAck ?? 0 < options.operationCount else {
            throw ValidationError("--kill-at-ack must be at least 1 and less than --ops, or no kill lands mid-work")
        }
    }

    func run() throws {
        var target = try TargetCatalog.besideThisProgram().target(target).configured(settings)
        if !options.sandbox.isOn { target.confinement = .none }
        var request = RunRequest(
            target: target, scenario: scenario,
            profile: try options.profile.one(for: "run --scenario \(scenario.rawValue)"),
            contract: contract ?? target.contract(clients: options.threads), seed: options.seed,
            operationCount: options.operationCount, cycles: options.cycles ?? (cutAt.isEmpty ? nil : 1))
        (request.shape.threadCount, request.shape.valueBytes) = (options.threads, options.valueLen)
        do throws(CutAimError) {
            for text in cutAt { request.cutAims.append(try CutAim(parsing: ByteString(text))) }
        } catch {
            throw ValidationError("--cut-at: \(error)")
        }
        if request.storeInMemory == nil { try RunCommand.refuse(scenario) }
        request.exploration.budgetSeconds = budget?.seconds
        request.acceptsPartial = partial
        request.killTrigger = try killTrigger()
        request.rules = try RuleArguments.rules(rule, file: rules)
        request.sweepsFaults = sweep
        if let crash = request.rules.first(where: \.cutsPower) {
            throw ValidationError("--rule: '\(crash)' cuts the power: that is --scenario power-cut, with --cut-at")
        }
        try RunCommand.runAndReport(request, options)
    }

    private func killTrigger() throws -> KillTrigger? {
        guard let killAtFile else { return killAtAck.map(KillTrigger.acknowledgement) }
        do {
            return .newFile(try Glob(parsing: ByteString(killAtFile)))
        } catch {
            throw ValidationError("--kill-at-file: \(error)")
        }
    }

    /// Runs, prints, and throws the exit status.
    static func runAndReport(_ request: RunRequest, _ options: RunOptions) throws -> Never {
        let progress = Progress()
        // After an interruption, too, what was found until then is printed, and how to go on, before the process ends.
        let result = try Interruption.shared.awaiting {
            let result = options.session.run(request) { text in progress.show(text) }
            progress.clear()
            if options.json {
                try StandardOutput.show(result, .object)
            } else {
                StandardOutput.write(RunReport(result).text(for: .output))
            }
            return result
        }
        Interruption.shared.waitIfInterrupted()
        throw ExitStatus(Verdict(rawValue: result.verdict) ?? .harnessError)
    }

    /// Says why a scenario cannot run on this machine.
    static func refuse(_ scenario: Scenario) throws {
        // Smoke asks nothing of the machine, and a trial mount costs time.
        guard scenario != .smoke, scenario != .kill else { return }
        let diagnoses = Interruption.shared.awaiting { Doctor(driver: DoctorCommand.driver()).diagnose() }
        guard let diagnosis = diagnoses.first(where: { $0.scenario == scenario.rawValue }), !diagnosis.isPossible
        else { return }
        throw ValidationError("\(scenario.rawValue) cannot run here: \(diagnosis.obstacle)")
    }
}

extension ExitStatus {
    init(_ verdict: Verdict) {
        self =
            switch verdict {
            case .pass: .pass
            case .violation: .violation
            case .inconclusive: .inconclusive
            case .harnessError: .error
            }
    }
}
