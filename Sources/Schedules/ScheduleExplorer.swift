/// Runs a scenario under every schedule, or under those within a bound.
///
///     let report = try ScheduleExplorer().explore(TwoWriters())
///     print(report.failure?.schedule ?? "no failure in \(report.scheduleCount) schedules")
///
/// Deterministic: the same scenario and limits give the same schedules in the same order.
///
/// Not thread safe; several explorers may be used at once.
public struct ScheduleExplorer: Sendable {
    public var surprises = SurpriseLimits()
    /// nil: all schedules, by partial-order reduction. Otherwise all with at most this many preemptions and surprises.
    public var preemptions: Int?
    /// If it is set: all schedules with at most this many differences from the order that the scheduler keeps by itself, surprises
    /// among them, instead of preemptions. For scenarios with many threads that wait often.
    public var deviations: Int?
    /// The most executions.
    public var limitSchedules = 1_000_000
    /// The most steps of one execution.
    public var limitSteps = 20_000
    /// Called after each execution; the exploration stops when it returns false.
    public var shouldContinue: @Sendable (_ executions: Int) -> Bool = { _ in true }

    public init() {}

    /// Explores until the first failure. Throws `ScheduleError`, and the errors of `makeWorld`.
    public func explore(_ scenario: some ScheduleScenario) throws -> ScheduleReport {
        try explore(scenario, stopping: nil)
    }

    /// Lets each thread stop for ever after each number of its steps, one in an execution, and explores the schedules of the
    /// others: they must end, or wait where the scenario allows it (`ScheduleScenario.mayWait`). Then the thread goes on, as one
    /// that was only slow, and the world is checked.
    public func exploreStops(_ scenario: some ScheduleScenario) throws -> ScheduleReport {
        var total = ScheduleReport()
        total.coverage = .all
        for thread in scenario.threads.indices {
            // Step 1 is the beginning of a thread. It ends by itself when no more steps are left.
            for count in 1...limitSteps {
                var explorer = self
                explorer.limitSchedules = max(0, limitSchedules - total.scheduleCount - total.redundantCount)
                let report = try explorer.explore(scenario, stopping: StoppedThread(thread, afterSteps: count))
                total.add(report)
                if report.failure != nil { return total }
                if report.coverage == .limited || report.coverage == .stopped { return total }
                if report.stopCount == 0 { break }
            }
        }
        return total
    }

    private func explore(_ scenario: some ScheduleScenario, stopping stopped: StoppedThread?) throws -> ScheduleReport {
        var report: ScheduleReport
        if let deviations {
            let search = BoundedSearch(bound: deviations, countsEveryChoice: true)
            report = try run(scenario, search, stopping: stopped, begin: search.begin, advance: search.advance)
            if report.coverage == .all, search.isBounded { report.coverage = .deviations(deviations) }
        } else if let preemptions {
            let search = BoundedSearch(bound: preemptions)
            report = try run(scenario, search, stopping: stopped, begin: search.begin, advance: search.advance)
            if report.coverage == .all, search.isBounded { report.coverage = .preemptions(preemptions) }
        } else {
            let search = PartialOrderReduction()
            report = try run(scenario, search, stopping: stopped, begin: search.begin, advance: search.advance)
        }
        if let failure = report.failure { report.failure = try replay(scenario, failure.schedule).failure ?? failure }
        return report
    }

    /// Runs one schedule, and tells its steps.
    public func replay(
        _ scenario: some ScheduleScenario, _ schedule: Schedule
    ) throws -> (failure: ScheduleFailure?, rows: [ScheduleRow]) {
        var runner = ScheduleRunner(self, threadCount: scenario.threads.count)
        defer { runner.end() }
        let run = try runner.run(scenario, ReplayPolicy(schedule), stopping: schedule.stopped, isNarrated: true)
        if case .misfit(let reason) = run.ending { throw ScheduleError.misfit(reason) }
        if let stopped = schedule.stopped, run.waits == nil {
            let letter = Schedule.letter(stopped.thread)
            throw ScheduleError.misfit(
                scenario.threads.indices.contains(stopped.thread)
                    ? "\(scenario.threads[stopped.thread]) ends before it has taken \(stopped.afterSteps) steps"
                    : "there is no thread \(letter)")
        }
        return (run.failure, run.failure?.rows ?? run.rows)
    }

    /// A failure with the fewest preemptions (or `deviations`, if these are set) and surprises, and of these one with the fewest steps. nil if the limit of
    /// executions was reached before any failure was found.
    public func shortestFailure(_ scenario: some ScheduleScenario, atMost mostPreemptions: Int = 4) throws
        -> ScheduleFailure?
    {
        for bound in 0...mostPreemptions {
            let search = BoundedSearch(bound: bound, countsEveryChoice: deviations != nil)
            var shortest: ScheduleFailure?
            let report = try run(scenario, search, begin: search.begin, advance: search.advance) { failure in
                if failure.stepCount < shortest?.stepCount ?? .max { shortest = failure }
                return true
            }
            if let shortest { return try replay(scenario, shortest.schedule).failure ?? shortest }
            if report.coverage != .all || !search.isBounded { return nil }
        }
        return nil
    }

    /// - Parameter goesOn: whether to continue after this failure.
    private func run(
        _ scenario: some ScheduleScenario, _ policy: some SchedulePolicy, stopping stopped: StoppedThread? = nil,
        begin: () -> Void, advance: () -> Bool, goesOn: (ScheduleFailure) -> Bool = { _ in false }
    ) throws -> ScheduleReport {
        var runner = ScheduleRunner(self, threadCount: scenario.threads.count)
        defer { runner.end() }
        var report = ScheduleReport()
        var executions = 0
        repeat {
            guard executions < limitSchedules else { return report }
            executions += 1
            begin()
            let run = try runner.run(scenario, policy, stopping: stopped, isNarrated: false)
            report.stepCount += run.stepCount
            report.longestCount = max(report.longestCount, run.stepCount)
            switch run.ending {
            case .abandoned: report.redundantCount += 1
            case .misfit(let reason): throw ScheduleError.unsteady(reason)
            case .ended, .stuck, .endless: report.scheduleCount += 1
            case .stopped(let waits):
                report.scheduleCount += 1
                report.stopCount = 1
                report.waits.formUnion(waits.map(\.site))
            }
            if let failure = run.failure, !goesOn(failure) {
                report.failure = failure
                return report
            }
            guard shouldContinue(executions) else {
                report.coverage = .stopped
                return report
            }
        } while advance()
        report.coverage = .all
        return report
    }
}
