import Bytes
import Exploration
import Oracle
import Runs
import Scenarios

/// A run: what was done and bounded, the injected faults, and the cuts.
struct HTMLRun {
    /// A part of a strip; the numbers are percent of its width.
    struct Segment {
        var x: String
        var width: String
        var stripTone: String
        var segmentLabel: String
    }

    struct Bound {
        var event: Int
        var atoms: Int
        var looked: Int
    }

    struct Fault {
        var faultVerdict: HTMLVerdict
        var family: String
        var rule: String
        /// How often it fired, of how many matches; nil if it was not tried.
        var fired: String?
        /// Where it was injected, in percent of the run's events.
        var ticks: [String] = []
        /// The same in words; nil if it was not injected.
        var moment: String?
        var detail: String
    }

    struct Cut {
        var cycle: Int
        var acknowledged: Int
        var inFlight: Int
        var landed: String
        var aim: String?
        var hit: String?
    }

    struct UnderProfile {
        var name: String
        var profileVerdict: HTMLVerdict
        var failing: Int
        var judged: Int
        var epochs: String
    }

    var runTitle: String
    var runVerdict: HTMLVerdict
    var reason: String?
    var warnings: [String]
    var facts: [HTMLPage.Fact]
    var coverage: String?
    var strip: [Segment] = []
    var bounds: [Bound]
    var boundsLeftOut: Int?
    var faults: [Fault]
    var cuts: [Cut]
    var profiles: [UnderProfile]
    /// Of a soak: what it measured, over time.
    var plots: [HTMLPlot]
    var runRemarks: [String]
    var runCommands: [HTMLPage.Command]

    private static let boundsAtMost = 50

    init(_ result: RunResult) {
        runTitle = RunReport.title(result)
        runVerdict = HTMLVerdict(result.verdict, word: RunReport.cell(of: result).text)
        reason = result.findings.isEmpty ? result.reason : nil
        warnings = result.warnings ?? []
        facts = Self.facts(result)
        coverage = result.coverage
        bounds = (result.bounded ?? []).prefix(Self.boundsAtMost).map {
            Bound(event: $0.event, atoms: $0.atoms, looked: $0.states)
        }
        let rest = (result.bounded?.count ?? 0) - Self.boundsAtMost
        boundsLeftOut = rest > 0 ? rest : nil
        faults = (result.faults ?? []).map(Fault.init)
        cuts = Self.cuts(result)
        plots = result.soak.map(HTMLPlot.all) ?? []
        profiles = (result.profiles ?? []).map {
            UnderProfile(
                name: $0.profile.rawValue,
                profileVerdict: HTMLVerdict($0.verdict, word: RunReport.verdict($0.verdict, $0.explored)),
                failing: $0.failingStates, judged: $0.decided, epochs: $0.explored.description)
        }
        runRemarks = RunReport.notSeen(of: result) + RunReport.notMinimised(result)
        runCommands = [.init(purpose: "Do the run again", text: result.command)]
        if let resume = result.resume { runCommands.append(.init(purpose: "Continue it", text: resume)) }
        if let explored = result.explored { strip = Self.strip(explored, boundedCount: result.bounded?.count ?? 0) }
    }

    private static func facts(_ result: RunResult) -> [HTMLPage.Fact] {
        var facts: [HTMLPage.Fact] = [
            .init(label: "target", value: RunReport.name(result)),
            .init(label: "scenario", value: result.scenario.rawValue),
            .init(label: "profile", value: result.block.map(BlockLines.name) ?? result.profile.name),
            .init(label: "contract", value: result.contract), .init(label: "seed", value: "\(result.seed)"),
            .init(label: "acknowledged", value: result.acknowledged.counted("operation")),
        ]
        if result.states.checked > 1 {
            facts.append(.init(label: "crash states recovered", value: "\(result.states.checked)"))
            facts.append(.init(label: "judged", value: "\(result.states.decided)"))
            facts.append(.init(label: "states a second", value: "\(Int(result.states.ratePerSecond))"))
        }
        facts.append(
            .init(
                label: "positive control",
                value: "\(result.controls.detected) of \(result.controls.mutations.counted("mutation")) detected"))
        if let ignored = RunReport.ignored(in: result) { facts.append(.init(label: "ignored", value: ignored)) }
        if !result.notTried.isEmpty {
            facts.append(.init(label: "not tried", value: result.notTried.map(\.rawValue).joined(separator: ", ")))
        }
        facts += (result.block.map(BlockLines.deviceFacts) ?? []).map { .init(label: $0.label, value: $0.value) }
        if let guest = result.guest { facts.append(.init(label: "machine", value: FlakeyTable.words(for: guest))) }
        facts += (result.flakey ?? []).map {
            .init(label: English.place(of: $0), value: FlakeyTable.words(for: $0))
        }
        facts.append(.init(label: "seconds", value: "\((result.seconds * 10).rounded() / 10)"))
        if let directory = result.directory { facts.append(.init(label: "everything is in", value: directory)) }
        return facts
    }

    /// The shares of exhaustive, bounded and unchecked epochs.
    private static func strip(_ explored: RunResult.Explored, boundedCount: Int) -> [Segment] {
        guard explored.of > 0 else { return [] }
        let unit = explored.unit?.rawValue ?? "epochs"
        let bounded = max(0, explored.epochs - explored.exhaustive)
        let parts = [
            (explored.exhaustive, "good", explored.unit == nil ? "exhaustive" : "done"),
            (bounded, "doubtful", "bounded"), (explored.of - explored.epochs, "faint", "not looked at"),
        ]
        var x = 0.0
        return parts.filter { $0.0 > 0 }.map { count, tone, words in
            let width = 100 * Double(count) / Double(explored.of)
            defer { x += width }
            return Segment(
                x: decimal(x), width: decimal(width), stripTone: tone,
                segmentLabel: "\(count) of \(explored.of) \(unit) \(words)")
        }
    }

    fileprivate static func decimal(_ number: Double) -> String { "\((number * 100).rounded() / 100)" }

    private static func cuts(_ result: RunResult) -> [Cut] {
        result.cuts.map { cut in
            let aim = result.aims?.first { $0.cycle == cut.cycle }
            return Cut(
                cycle: cut.cycle, acknowledged: cut.acknowledged, inFlight: cut.inFlight,
                landed: cut.landed ? "at work" : "not at work", aim: aim.map { "\($0.aim)" },
                hit: aim?.hit ?? aim?.detail ?? cut.file)
        }
    }
}

extension HTMLRun.Fault {
    fileprivate init(_ report: FaultReport) {
        faultVerdict =
            switch report.outcome {
            case .survived: HTMLVerdict(.pass, word: "survived")
            case .refused: HTMLVerdict(.pass, word: "refused")
            case .violation: HTMLVerdict(.violation, word: "violation")
            case .neverFired: HTMLVerdict(.inconclusive, word: "never fired")
            case .notTried: HTMLVerdict(word: "not tried", symbol: "–", tone: "faint")
            }
        family = report.family.rawValue
        rule = report.rule
        fired = report.outcome == .notTried ? nil : "\(report.fired) of \(report.matched)"
        if let events = report.faultEvents, let count = report.eventCount, count > 0, !events.isEmpty {
            ticks = events.map { HTMLRun.decimal(100 * Double($0) / Double(count)) }
            let rest = events.count > 3 ? " and \(events.count - 3) more" : ""
            moment = "event \(events.prefix(3).map(String.init).joined(separator: ", "))\(rest) of \(count)"
        }
        detail = ((report.detail.map { [$0] } ?? []) + report.faults.prefix(2)).joined(separator: "; ")
    }
}
