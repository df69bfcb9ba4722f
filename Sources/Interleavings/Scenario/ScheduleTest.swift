import Engine
import Schedules

/// A scenario by name: threads that share a log or a store, and what must hold under every schedule.
package struct ScheduleTest: Sendable {
    package var name: String
    /// One line for people.
    package var summary: String
    /// How much is explored unless somebody asks for more.
    package var depth: ScheduleDepth
    /// Also by default: a thread stops for ever, with at most this many preemptions. nil if the scenario says nothing about it.
    package var stopsWithin: Int?
    /// - Parameters:
    ///   - bug: a deliberate defect of the engine.
    ///   - checksCrashes: whether the crash states of each schedule are recovered.
    let make: @Sendable (_ bug: PlantedBug?, _ checksCrashes: Bool) -> any CheckedScenario

    package init(
        _ name: String, _ summary: String, _ depth: ScheduleDepth, stopsWithin: Int? = nil,
        make: @escaping @Sendable (_ bug: PlantedBug?, _ checksCrashes: Bool) -> any CheckedScenario
    ) {
        self.name = name
        self.summary = summary
        self.depth = depth
        self.stopsWithin = stopsWithin
        self.make = make
    }

    /// Explores the schedules until the first failure. The limit of executions is for each part of the depth.
    package func explore(
        _ explorer: ScheduleExplorer, depth: ScheduleDepth? = nil, planting bug: PlantedBug? = nil,
        checksCrashes: Bool = true
    ) throws -> ScheduleTestResult {
        let scenario = make(bug, checksCrashes)
        var result = ScheduleTestResult()
        for part in depth?.parts ?? defaultParts {
            var explorer = explorer
            (explorer.surprises, explorer.preemptions) = (part.surprises, part.preemptions)
            explorer.deviations = part.deviations
            let report = part.stops ? try explorer.exploreStops(scenario) : try explorer.explore(scenario)
            result.parts.append(ScheduleTestResult.Part(part, report))
            if report.failure != nil || report.coverage == .stopped { break }
        }
        result.crashes = scenario.crashCounts
        return result
    }

    private var defaultParts: [ScheduleDepth.Part] {
        depth.parts + (stopsWithin.map { ScheduleDepth.stops(within: $0).parts } ?? [])
    }

    /// A failure with the fewest preemptions and surprises, and of these one with the fewest steps.
    package func shortestFailure(
        _ explorer: ScheduleExplorer, planting bug: PlantedBug? = nil, checksCrashes: Bool = true
    ) throws -> ScheduleFailure? {
        var explorer = explorer
        if case .deviations(let bound) = depth { explorer.deviations = bound }
        return try explorer.shortestFailure(make(bug, checksCrashes))
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
        /// Whether a thread stops for ever in each of the schedules.
        package var stops: Bool
        package var report: ScheduleReport

        init(_ part: ScheduleDepth.Part, _ report: ScheduleReport) {
            surprises = part.surprises
            stops = part.stops
            self.report = report
        }
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
            case .all, .preemptions, .deviations: true
            case .limited, .stopped: false
            }
        }
    }
}

/// A scenario that may check the crash states of each schedule.
package protocol CheckedScenario: ScheduleScenario {
    var crashCounts: CrashCounts? { get }
}
