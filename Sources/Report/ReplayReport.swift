import Exploration
import Model
import Oracle
import Replay
import Runs
import Scenarios

/// A replayed case, for people and for programs.
package struct ReplayReport: ReportSubject {
    package let target: String
    private let scenario: ScenarioName
    /// Whether the run was repeated, instead of recovering a state.
    private let isLive: Bool
    private let configuration: [String: String]
    private let profile: Profile
    private let crashPoint: Int?
    private let lost: [String]
    package let verdict: Verdict
    private let violations: [String]
    /// The violation recorded in the case.
    let recorded: String
    /// The check that the case was made for.
    let check: CaseCheck
    /// The checks that are broken now.
    private let broken: [Check]
    /// The story of the present violation, with its timeline.
    let account: CrashStory?
    /// For an unstable state, which two observations contradict each other.
    private let unstable: UnstableState.Kind?
    /// The two present observations, if they differ.
    private let looks: [UnstableState.ObservationExcerpt]?
    /// Links of the state that lead out of it.
    private let escapingLinks: [String]
    /// Whether the recovery ran in a sandbox that could write only to the state.
    private let isSandboxed: Bool
    /// The facts for a page; nil if no page was requested.
    let facts: FindingFacts?
    /// The confirmations on real filesystems.
    let confirmed: [Confirmation]?
    /// The missing syncs, if they were searched for.
    let fix: BarrierFix?
    /// Why no missing sync is searched for; nil unless the case was to be explained.
    private let notExplained: String?

    /// A case with the syncs that the store misses.
    package init(_ explanation: CaseExplanation) {
        self.init(
            explanation.replay, explanation.outcome,
            notExplained: explanation.obstacle.map { English().words(for: $0) })
    }

    package init(_ replay: Replay, _ outcome: Replay.Outcome, notExplained: String? = nil) {
        self.notExplained = notExplained
        fix = replay.record.fix
        target = replay.record.target
        scenario = replay.record.scenario
        isLive = replay.record.live != nil
        configuration = replay.record.configuration
        profile = replay.profile
        crashPoint = outcome.state?.crashPoint
        lost = outcome.lost
        verdict = outcome.judgement.verdict
        violations = outcome.judgement.violations.map(\.description)
        recorded = replay.record.story
        check = replay.record.check
        broken = outcome.judgement.broken
        account = outcome.account
        unstable = replay.record.unstable
        looks = outcome.looks.map { [$0.0, $0.1] }
        escapingLinks = outcome.escapingLinks.map(\.description)
        confirmed = replay.record.confirmed
        facts = outcome.facts
        isSandboxed = if case .sandbox = outcome.confinement { true } else { false }
    }

    package var entries: [ReportEntry] {
        [
            ReportEntry(
                target, "replay, \(scenario), \(profile.rawValue), \(check)", passing: verdict, stories: violations,
                account: text(for: .plain))
        ]
    }

    /// The heading: the profile, or the scenario for a fault, which has no profile.
    private var heading: String { scenario == .ioError ? scenario.rawValue : profile.rawValue }

    /// Whether the case's check is broken now.
    private var showsItsCheck: Bool { broken.contains { .check($0) == check } }

    private enum CodingKeys: String, CodingKey {
        case target, scenario, configuration, profile, crashPoint, lost, verdict, violations, recorded, check, broken
        case account, unstable, looks, isSandboxed, confirmed, fix
        case escapingLinks = "leavingLinks"
    }

    /// How the sandbox may have influenced the result.
    private var sandboxLines: [ReportLine] {
        var lines: [ReportLine] = []
        if !escapingLinks.isEmpty {
            lines.append("  The state has links that lead out of it: \(escapingLinks.joined(separator: ", ")).")
            lines.append(
                isSandboxed
                    ? "  It was recovered in a sandbox: nothing outside could be written." : "  They were followed.")
        }
        if isSandboxed, unstable == nil, !broken.isEmpty, !showsItsCheck {
            lines.append("  A target that has to write elsewhere fails in the sandbox; --no-sandbox takes that away.")
        }
        return lines
    }

    package func text(for terminal: Terminal) -> String {
        let cell = RunReport.cell(verdict)
        let settings = configuration.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        var lines: [ReportLine] = [
            cell.style.shown(cell.text, on: terminal) + "  \(target)\(settings), \(heading)"
        ]
        if let looks, unstable != nil {
            lines.append("  recovered again and again, it does not show the same:")
            lines += UnstableReport.lines(.again, looks[0], looks[1], margin: "    ")
        } else if unstable != nil {
            lines.append("  recovered again and again, it shows the same each time")
        } else if let account {
            if isLive { lines.append("  the run done again, with the same seed and the same faults") }
            lines.append("  \(broken.first.map(CaseCheck.check) ?? check): \(account.headline)")
            lines += StoryReport(account).lines(for: terminal, indent: 4)
        } else if isLive {
            lines.append("  the run done again, with the same seed and the same faults")
        } else if let crashPoint {
            lines.append("  crash after event \(crashPoint); lost:")
            lines += lost.isEmpty ? ["    nothing"] : lost.map { ReportLine("    \($0)") }
        } else {
            lines.append("  the process killed; every file as the case's image has it")
        }
        lines += (account == nil ? violations[...] : violations.dropFirst()).map { ReportLine("  \($0)") }
        if !broken.isEmpty, !showsItsCheck, unstable == nil {
            lines.append("  This is not what the case was made for (\(check)): \(recorded)")
        }
        lines += (confirmed ?? []).map { ReportLine("  \($0.words)") }
        if let notExplained { lines.append("  \(notExplained)") }
        lines += sandboxLines
        if verdict == .pass, unstable == nil {
            lines.append("  The case says: \(recorded)")
            lines.append("  It does not show again: the target recovers this state now.")
        }
        return lines.text
    }
}
