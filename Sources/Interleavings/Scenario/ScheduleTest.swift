import Engine
import Schedules

/// A scenario by name: threads that share a log or a store, and what must hold under every schedule.
package struct ScheduleTest: Sendable {
    package var name: String
    /// One line for people.
    package var summary: String
    /// How much is explored unless somebody asks for more.
    package var depth: ScheduleDepth
    /// - Parameters:
    ///   - bug: a deliberate defect of the engine.
    ///   - checksCrashes: whether the crash states of each schedule are recovered.
    let make: @Sendable (_ bug: PlantedBug?, _ checksCrashes: Bool) -> any CheckedScenario

    package init(
        _ name: String, _ summary: String, _ depth: ScheduleDepth,
        make: @escaping @Sendable (_ bug: PlantedBug?, _ checksCrashes: Bool) -> any CheckedScenario
    ) {
        self.name = name
        self.summary = summary
        self.depth = depth
        self.make = make
    }

    /// Explores the schedules until the first failure. The limit of executions is for each part of the depth.
    package func explore(
        _ explorer: ScheduleExplorer, depth: ScheduleDepth? = nil, planting bug: PlantedBug? = nil,
        checksCrashes: Bool = true
    ) throws -> ScheduleTestResult {
        let scenario = make(bug, checksCrashes)
        var result = ScheduleTestResult()
        for part in (depth ?? self.depth).parts {
            var explorer = explorer
            (explorer.surprises, explorer.preemptions) = (part.surprises, part.preemptions)
            let report = try explorer.explore(scenario)
            result.parts.append(ScheduleTestResult.Part(surprises: part.surprises, report: report))
            if report.failure != nil || report.coverage == .stopped { break }
        }
        result.crashes = scenario.crashCounts
        return result
    }

    /// A failure with the fewest preemptions and surprises, and of these one with the fewest steps.
    package func shortestFailure(
        _ explorer: ScheduleExplorer, planting bug: PlantedBug? = nil, checksCrashes: Bool = true
    ) throws -> ScheduleFailure? {
        try explorer.shortestFailure(make(bug, checksCrashes))
    }

    /// Runs one schedule.
    package func replay(
        _ schedule: Schedule, _ explorer: ScheduleExplorer, planting bug: PlantedBug? = nil, checksCrashes: Bool = true
    ) throws -> (failure: ScheduleFailure?, rows: [ScheduleRow]) {
        try explorer.replay(make(bug, checksCrashes), schedule)
    }
}

/// What the explorations of a scenario found.
package struct ScheduleTestResult: Sendable {
    package struct Part: Sendable {
        package var surprises: SurpriseLimits
        package var report: ScheduleReport
    }

    package var parts: [Part] = []
    /// nil if no crashes were checked.
    package var crashes: CrashCounts?

    package var failure: ScheduleFailure? { parts.lazy.compactMap(\.report.failure).first }
    package var scheduleCount: Int { parts.reduce(0) { $0 + $1.report.scheduleCount } }
    package var redundantCount: Int { parts.reduce(0) { $0 + $1.report.redundantCount } }
    package var stepCount: Int { parts.reduce(0) { $0 + $1.report.stepCount } }

    /// Whether nothing was left out but what the depth leaves out.
    package var isComplete: Bool {
        parts.allSatisfy { part in
            switch part.report.coverage {
            case .all, .preemptions: true
            case .limited, .stopped: false
            }
        }
    }
}

/// A scenario that may check the crash states of each schedule.
package protocol CheckedScenario: ScheduleScenario {
    var crashCounts: CrashCounts? { get }
}
