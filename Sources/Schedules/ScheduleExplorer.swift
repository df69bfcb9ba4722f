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
    /// The most executions.
    public var limitSchedules = 1_000_000
    /// The most steps of one execution.
    public var limitSteps = 20_000
    /// Called after each execution; the exploration stops when it returns false.
    public var shouldContinue: @Sendable (_ executions: Int) -> Bool = { _ in true }

    public init() {}

    /// Explores until the first failure. Throws `ScheduleError`, and the errors of `makeWorld`.
    public func explore(_ scenario: some ScheduleScenario) throws -> ScheduleReport {
        var report: ScheduleReport
        if let preemptions {
            let search = BoundedSearch(bound: preemptions)
            report = try run(scenario, search, begin: search.begin, advance: search.advance)
            if report.coverage == .all, search.isBounded { report.coverage = .preemptions(preemptions) }
        } else {
            let search = PartialOrderReduction()
            report = try run(scenario, search, begin: search.begin, advance: search.advance)
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
        let run = try runner.run(scenario, ReplayPolicy(schedule), isNarrated: true)
        if case .misfit(let reason) = run.ending { throw ScheduleError.misfit(reason) }
        return (run.failure, run.failure?.rows ?? run.rows)
    }

    /// A failure with the fewest preemptions and surprises, and of these one with the fewest steps. nil if the limit of
    /// executions was reached before any failure was found.
    public func shortestFailure(_ scenario: some ScheduleScenario, atMost mostPreemptions: Int = 4) throws
        -> ScheduleFailure?
    {
        for bound in 0...mostPreemptions {
            let search = BoundedSearch(bound: bound)
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
        _ scenario: some ScheduleScenario, _ policy: some SchedulePolicy, begin: () -> Void, advance: () -> Bool,
        goesOn: (ScheduleFailure) -> Bool = { _ in false }
    ) throws -> ScheduleReport {
        var runner = ScheduleRunner(self, threadCount: scenario.threads.count)
        defer { runner.end() }
        var report = ScheduleReport()
        var executions = 0
        repeat {
            guard executions < limitSchedules else { return report }
            executions += 1
            begin()
            let run = try runner.run(scenario, policy, isNarrated: false)
            report.stepCount += run.stepCount
            report.longestCount = max(report.longestCount, run.stepCount)
            switch run.ending {
            case .abandoned: report.redundantCount += 1
            case .misfit(let reason): throw ScheduleError.unsteady(reason)
            case .ended, .stuck, .endless: report.scheduleCount += 1
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
