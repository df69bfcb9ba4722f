import Platform

/// Runs executions of a scenario, one after the other, with the same threads of the system.
struct ScheduleRunner: ~Copyable {
    struct Run {
        var ending: Execution.Ending
        var failure: ScheduleFailure?
        var rows: [ScheduleRow]
        var stepCount: Int
        /// The threads that wait for one that has stopped for ever; nil if none has.
        var waits: [ScheduleWait]?
    }

    private let explorer: ScheduleExplorer
    private let threadCount: Int
    private var crew: ThreadCrew?
    private let pinned = ProcessorPin()

    init(_ explorer: ScheduleExplorer, threadCount: Int) {
        self.explorer = explorer
        self.threadCount = threadCount
    }

    mutating func end() {
        crew?.dismiss()
        crew = nil
        pinned.release()
    }

    mutating func run<S: ScheduleScenario>(
        _ scenario: S, _ policy: some SchedulePolicy, stopping stopped: StoppedThread? = nil, isNarrated: Bool
    ) throws -> Run {
        guard (1...VectorClock.threadLimit).contains(threadCount) else {
            throw ScheduleError.tooManyThreads(threadCount)
        }
        let crew = try self.crew ?? ThreadCrew(count: threadCount)
        self.crew = crew
        let execution = Execution(
            threadNames: scenario.threads, policy: policy, crew: crew, limits: explorer.surprises,
            stepLimit: explorer.limitSteps, stopped: stopped, isNarrated: isNarrated
        ) { words, index, value in scenario.describe(word: index, of: words, value: value) }
        Participant.play(execution.alone)
        defer { Participant.play(nil) }
        let world = try scenario.makeWorld()
        let ending: Execution.Ending
        do throws(ScheduleError) {
            ending = try execution.run { thread in try scenario.run(thread, in: world) }
        } catch {
            self.crew = nil
            leave(execution)
            throw error
        }
        if execution.isStranded {
            // Its threads wait for ever, with everything that they hold.
            self.crew = nil
            leave(execution)
        }
        var waits: [ScheduleWait]?
        if case .stopped(let found) = ending { waits = found }
        let kind =
            failure(of: waits ?? [], in: scenario, stopping: stopped)
            ?? failure(of: execution, ending) { try scenario.check(world) }
        let isAtStop = if case .waitsForStopped? = kind { true } else { false }
        let rows = (isAtStop ? execution.rowsAtStop : execution.rows) ?? []
        let stepCount = execution.events.count
        let failure = kind.map {
            ScheduleFailure(
                kind: $0, schedule: execution.schedule, stepCount: stepCount, rows: rows)
        }
        return Run(ending: ending, failure: failure, rows: rows, stepCount: stepCount, waits: waits)
    }

    private func failure(
        of waits: [ScheduleWait], in scenario: some ScheduleScenario, stopping stopped: StoppedThread?
    ) -> ScheduleFailure.Kind? {
        guard let stopped else { return nil }
        let wrong = waits.filter { !scenario.mayWait($0, forStopped: stopped.thread) }
        if wrong.isEmpty { return nil }
        return .waitsForStopped(
            thread: scenario.threads[stopped.thread],
            wrong.map { "\(scenario.threads[$0.thread]) waits: \($0.text)" })
    }

    private func failure(
        of execution: Execution, _ ending: Execution.Ending, check: () throws -> Void
    ) -> ScheduleFailure.Kind? {
        switch ending {
        case .abandoned, .misfit: return nil
        case .stuck: return .stuck(execution.waitingThreads)
        case .endless: return .endless(steps: execution.events.count)
        case .stopped where execution.isStranded: return .stuck(execution.waitingThreads)
        case .ended, .stopped:
            for thread in execution.participants {
                if let error = thread.error {
                    return .threw(thread: execution.threadNames[thread.index], "\(error)")
                }
            }
            do { try check() } catch { return .check("\(error)") }
            return nil
        }
    }

    /// Stranded threads refer to the execution for as long as the process lives.
    private func leave(_ execution: Execution) { _ = Unmanaged.passRetained(execution) }
}
