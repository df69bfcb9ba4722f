import Bytes
import Interleavings
import Schedules

/// The result of a scenario's schedules, for people and programs.
package struct SchedulesReport: Encodable {
    private let test: ScheduleTest
    private let result: ScheduleTestResult
    /// The failure to show: the shortest one, if it was looked for.
    private let failure: ScheduleFailure?
    private let isShortest: Bool
    private let seconds: Double

    package init(
        _ test: ScheduleTest, _ result: ScheduleTestResult, shortest: ScheduleFailure? = nil, seconds: Double
    ) {
        self.test = test
        self.result = result
        failure = shortest ?? result.failure
        isShortest = shortest != nil
        self.seconds = seconds
    }

    package enum Verdict: String, Encodable { case pass, violation, inconclusive }

    package var verdict: Verdict {
        failure != nil ? .violation : result.isComplete ? .pass : .inconclusive
    }

    // MARK: Text

    package static func text(_ reports: [SchedulesReport], for terminal: Terminal) -> String {
        var table = Table([
            .init("verdict"), .init("scenario"), .init("schedules", .right), .init("steps", .right),
            .init("crash points", .right), .init("crash states", .right), .init("seconds", .right),
            .init("explored"),
        ])
        for report in reports {
            let crashes = report.result.crashes
            table.add([
                .init(report.verdict.rawValue, report.verdict.style), .init(report.test.name),
                .init("\(report.result.scheduleCount)"), .init("\(report.result.stepCount)"),
                .init(crashes.map { "\($0.crashPoints)" } ?? "-"), .init(crashes.map { "\($0.states)" } ?? "-"),
                .init("\((report.seconds * 10).rounded() / 10)"), .init(report.explored),
            ])
        }
        return table.text(for: terminal)
    }

    private var explored: String {
        result.parts.map { part in
            if part.stops { return stopped(part.report) }
            let surprises = part.surprises == .none ? "" : ", with surprises"
            return switch part.report.coverage {
            case .all: "all" + surprises
            case .preemptions(let count): "at most \(count.counted("preemption")) and surprises"
            case .deviations(let count): "at most \(count.counted("deviation")), surprises among them"
            case .limited: "the first \(part.report.scheduleCount)" + surprises
            case .stopped: "stopped" + surprises
            }
        }.joined(separator: "; ")
    }

    private func stopped(_ report: ScheduleReport) -> String {
        let stops = "a thread stops for ever at \(report.stopCount.counted("step"))"
        return switch report.coverage {
        case .all: stops
        case .deviations(let count): "\(stops), at most \(count.counted("deviation"))"
        case .preemptions(let count): "\(stops), at most \(count.counted("preemption"))"
        case .limited, .stopped: "\(stops), some schedules left out"
        }
    }

    /// The failing schedule as a table, and how to replay it; nothing without a failure.
    ///
    /// - Parameter command: the command that replays it, without the schedule.
    package func story(replayedBy command: String, for terminal: Terminal) -> [ReportLine] {
        guard let failure else { return [] }
        let shortest = isShortest ? " (no schedule with fewer preemptions and surprises fails)" : ""
        return ["", "\(test.name): \(failure.kind)"] + Self.lines(of: failure.rows, for: terminal)
            + ["", "replay it\(shortest):", "    \(command) --replay '\(failure.schedule)'"]
    }

    package static func lines(of rows: [ScheduleRow], for terminal: Terminal) -> [ReportLine] {
        var table = Table([.init("step", .right), .init("thread"), .init("what it does"), .init("result")])
        var last: String?
        for (index, row) in rows.enumerated() {
            table.add([
                .init("\(index + 1)"), .init(row.thread == last ? "" : row.thread), .init(row.action),
                .init(row.result),
            ])
            last = row.thread
        }
        return table.lines(for: terminal)
    }

    // MARK: JSON

    private enum CodingKeys: String, CodingKey {
        case scenario, verdict, parts, steps, crashes, seconds, failure
    }

    private struct Part: Encodable {
        var coverage: String
        var preemptions: Int?
        var deviations: Int?
        var surprises: Bool
        /// Whether a thread stops for ever in each schedule.
        var stops: Bool
        var schedules: Int
        var redundant: Int
        var longestSteps: Int
    }

    private struct Crashes: Encodable {
        var points: Int
        var states: Int
        var recovered: Int
        var boundedPoints: Int
    }

    private struct Failure: Encodable {
        var reason: String
        var schedule: String
        var isShortest: Bool
        var rows: [ScheduleRow]
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(test.name, forKey: .scenario)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(result.parts.map(Self.part), forKey: .parts)
        try container.encode(result.stepCount, forKey: .steps)
        let crashes = result.crashes.map {
            Crashes(
                points: $0.crashPoints, states: $0.states, recovered: $0.recovered, boundedPoints: $0.boundedPoints)
        }
        try container.encodeIfPresent(crashes, forKey: .crashes)
        try container.encode(seconds, forKey: .seconds)
        let failure = failure.map {
            Failure(
                reason: $0.kind.description, schedule: $0.schedule.description, isShortest: isShortest, rows: $0.rows)
        }
        try container.encodeIfPresent(failure, forKey: .failure)
    }

    private static func part(_ part: ScheduleTestResult.Part) -> Part {
        var coverage = "all"
        var preemptions: Int?
        var deviations: Int?
        switch part.report.coverage {
        case .all: break
        case .preemptions(let count): (coverage, preemptions) = ("preemptions", count)
        case .deviations(let count): (coverage, deviations) = ("deviations", count)
        case .limited: coverage = "limited"
        case .stopped: coverage = "stopped"
        }
        return Part(
            coverage: coverage, preemptions: preemptions, deviations: deviations, surprises: part.surprises != .none,
            stops: part.stops,
            schedules: part.report.scheduleCount, redundant: part.report.redundantCount,
            longestSteps: part.report.longestCount)
    }
}

extension SchedulesReport.Verdict {
    fileprivate var style: Style {
        switch self {
        case .pass: .good
        case .violation: .bad
        case .inconclusive: .doubtful
        }
    }
}
