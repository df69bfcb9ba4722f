import ArgumentParser
import Bytes
import Engine
import Interleavings
import Machine
import Report
import Runs
import Schedules

struct SchedulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Runs the engine, and the mount's worker pool, under every interleaving of a few threads.",
        discussion: """
              faultline schedules                       every scenario
              faultline schedules --list                what each of them does
              faultline schedules append-sync           one of them
              faultline schedules append-sync --planted wakeup-lost     with a bug; prints the shortest schedule that shows it
              faultline schedules append-sync --planted wakeup-lost --replay A28,B1     that schedule, step by step

            The threads are real, and so is the code; a scheduler lets one of them run at a time and decides after each \
            step (a load, a store, a lock, a call of the storage) which goes on. It explores all schedules that differ in \
            the order of dependent steps. Surprises are loads of an older value, exchanges that fail for no reason, and \
            waits that end for no reason. A thread may also stop for ever, after any of its steps; then the others must end, \
            or wait where docs/schedules.md says. After each event of each schedule's trace, every crash state under kill, strict \
            and ext4-ordered must recover with all that was acknowledged.

            Exit codes: 0 no schedule fails, 1 one does, 2 wrong usage or an error of the harness, 3 a limit left \
            schedules out. docs/schedules.md says what is covered, and how to test code of your own.
            """)

    @Argument(help: "The scenarios; all by default.")
    var names: [String] = []

    @Flag(help: "List the scenarios, and explore none.")
    var list = false

    @Option(
        help: "All schedules with at most so many preemptions and surprises together, instead of each scenario's depth."
    )
    var preemptions: Int?

    @Flag(help: "All schedules, with one surprise of each kind in each thread. This takes minutes for most scenarios.")
    var surprises = false

    @Flag(
        help: "One thread stops for ever, after any of its steps; the others must end. With --preemptions N, within N."
    )
    var stops = false

    @Option(help: "Stop a scenario after so many schedules.")
    var limit = 2_000_000

    @Option(help: "Plant this bug in the engine, and look for the shortest schedule that shows it.")
    var planted: String?

    @Option(help: "Run one schedule of one scenario, as a failure printed it, and show its steps.")
    var replay: String?

    @Flag(help: "Check no crash states.")
    var noCrashes = false

    @OptionGroup var progress: ProgressOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    private var bug: PlantedBug? { planted.flatMap { PlantedBug(rawValue: $0) } }
    private var tests: [ScheduleTest] {
        let tests = ScheduleTests.all.filter { names.isEmpty || names.contains($0.name) }
        return stops && names.isEmpty ? tests.filter { $0.stopsWithin != nil } : tests
    }

    func validate() throws {
        for name in names where ScheduleTests.named(name) == nil {
            let known = ScheduleTests.all.map(\.name).joined(separator: ", ")
            throw ValidationError("no scenario is called \(name); they are: \(known)")
        }
        if planted != nil, bug == nil {
            throw ValidationError("no bug is called \(planted ?? ""); faultline planted lists them")
        }
        if let preemptions {
            guard (0...100).contains(preemptions) else { throw ValidationError("--preemptions must be from 0 to 100") }
            if surprises { throw ValidationError("--preemptions and --surprises are two depths; give one") }
        }
        if stops, surprises { throw ValidationError("--stops and --surprises are two depths; give one") }
        if stops, let test = tests.first(where: { $0.stopsWithin == nil }), !names.isEmpty {
            throw ValidationError("\(test.name) does not say who may wait for a thread that has stopped")
        }
        guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
        if let replay {
            guard names.count == 1 else { throw ValidationError("--replay needs one scenario") }
            do { _ = try Schedule(replay) } catch { throw ValidationError("--replay: \(error)") }
        }
    }

    func run() throws {
        if list {
            for test in tests { StandardOutput.show("\(test.name): \(test.summary)") }
            return
        }
        if let replay { return try run(replay: Schedule(replay)) }
        let progress = Progress(self.progress.progress)
        let reports = try Interruption.shared.awaiting {
            try tests.enumerated().map { index, test in
                let began = ContinuousClock.now
                var explorer = ScheduleExplorer()
                explorer.limitSchedules = limit
                explorer.shouldContinue = { count in
                    progress.show("\(test.name) (\(index + 1) of \(tests.count)): \(count.counted("schedule"))")
                    return !Interruption.shared.isInterrupted
                }
                let result = try test.explore(explorer, depth: depth, planting: bug, checksCrashes: !noCrashes)
                let shortest =
                    result.failure.map(\.needsStoppedThread) ?? true
                    ? nil : try test.shortestFailure(explorer, planting: bug, checksCrashes: !noCrashes)
                let time = began.duration(to: .now) / .seconds(1)
                return SchedulesReport(test, result, shortest: shortest, seconds: time)
            }
        }
        progress.clear()
        if json {
            try StandardOutput.show(["scenarios": reports], .object)
        } else {
            StandardOutput.write(SchedulesReport.text(reports, for: .output))
            for (test, report) in zip(tests, reports) {
                StandardOutput.show(report.story(replayedBy: command(test), for: .output))
            }
        }
        Interruption.shared.waitIfInterrupted()
        if reports.contains(where: { $0.verdict == .violation }) { throw ExitStatus.violation }
        if reports.contains(where: { $0.verdict == .inconclusive }) { throw ExitStatus.inconclusive }
    }

    private var depth: ScheduleDepth? {
        stops ? .stops(within: preemptions) : surprises ? .all : preemptions.map { .within($0) }
    }

    private func command(_ test: ScheduleTest) -> String {
        "\(ProgramName.shown) schedules \(test.name)" + (planted.map { " --planted \($0)" } ?? "")
            + (noCrashes ? " --no-crashes" : "")
    }

    private func run(replay schedule: Schedule) throws {
        let (failure, rows) = try tests[0].replay(
            schedule, ScheduleExplorer(), planting: bug, checksCrashes: !noCrashes)
        if json {
            try StandardOutput.show(ScheduleReplayReport(scenario: tests[0].name, failure, rows), .object)
        } else {
            StandardOutput.show(SchedulesReport.lines(of: rows, for: .output))
            StandardOutput.show("")
            StandardOutput.show("\(tests[0].name): \(failure.map { "\($0.kind)" } ?? "the schedule passes")")
        }
        if failure != nil { throw ExitStatus.violation }
    }
}
