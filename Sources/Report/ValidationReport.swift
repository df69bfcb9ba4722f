import Bytes
import Oracle
import Runs
import Scenarios

/// The result of `validate`, for people and programs.
package struct ValidationReport: ReportSubject {
    private struct Counts: Encodable {
        var observedLive, oracleLive, survived, dropped, damaged, inFlight, dead, extras, mismatches: Int
    }

    private let target: String
    private let contract: String
    package let verdict: Verdict
    private let reason: String?
    private let warnings: [String]
    private let recovery: String
    private let lines: Int
    private let tornLines: Int
    private let compared: Int
    private let totals: Counts
    private let totalsText: String
    private let broken: [String: Int]
    private let violations: [String]
    private let unattributed: [String]
    private let unjudged: [String: String]
    private let notTried: [String]
    private let mutations: Int
    private let detected: Int

    private enum CodingKeys: String, CodingKey {
        case target, contract, verdict, reason, warnings, recovery, lines, tornLines, compared, totals, broken,
            violations
        case unattributed, unjudged, notTried, mutations
        case detected = "flagged"
    }

    package init(_ target: String, _ contract: Contract, _ outcome: StandaloneValidation.Outcome) {
        let judgement = outcome.judgement
        let totals = judgement.totals
        self.target = target
        self.contract = contract.name
        verdict = outcome.verdict
        reason = outcome.reason.map(Self.words)
        warnings = outcome.warnings
        recovery = Self.words(outcome.recovery)
        lines = outcome.lineCount
        tornLines = outcome.tornLines
        compared = outcome.comparedCount
        self.totals = Counts(
            observedLive: totals.observedLive, oracleLive: totals.oracleLive, survived: totals.survived,
            dropped: totals.dropped, damaged: totals.damaged, inFlight: totals.inFlight, dead: totals.dead,
            extras: totals.extras, mismatches: totals.mismatches)
        totalsText = totals.description
        broken = Dictionary(uniqueKeysWithValues: judgement.counts.map { ($0.key.rawValue, $0.value) })
        violations = judgement.violations.map(\.description)
        unattributed = judgement.unattributed.map(\.description)
        unjudged = Dictionary(uniqueKeysWithValues: judgement.unjudged.map { ($0.key.rawValue, $0.value) })
        notTried = judgement.notTried.map(\.rawValue)
        mutations = outcome.mutations
        detected = outcome.detected
    }

    private static func words(_ reason: StandaloneValidation.Outcome.Reason) -> String {
        switch reason {
        case .missedMutation(let mutation, let verdict):
            English().words(for: .missedMutation("\(mutation.rawValue) (\(verdict.rawValue))"))
        case .nothingAcknowledged: "the oracle holds no acknowledgement: nothing was checked"
        }
    }

    private static func words(_ recovered: StandaloneValidation.Outcome.Recovered) -> String {
        switch recovered {
        case .opened(let seconds, let count): "opened in \(seconds) s with \(count.counted("key"))"
        case .failed(let seconds, let reason): "does not open after \(seconds) s: \(reason)"
        }
    }

    package var entries: [ReportEntry] {
        let stories = violations.isEmpty ? [reason].compactMap(\.self) : violations
        return [
            ReportEntry(
                target, "validate, \(contract)", passing: verdict, stories: stories, account: text(for: .plain))
        ]
    }

    package func text(for terminal: Terminal) -> String {
        let cell = RunReport.cell(verdict)
        var text: [ReportLine] = [
            cell.style.shown(cell.text, on: terminal) + "  \(target), contract \(contract)"
        ]
        if let reason { text.append("  \(reason)") }
        text += warnings.map { "  " + Style.doubtful.shown("warning", on: terminal) + ": \($0)" }
        text.append("  recovery: \(recovery)")
        let torn = tornLines > 0 ? ", of which \(tornLines) torn" : ""
        text.append("  oracle: \(lines.counted("line"))\(torn)")
        // There are no totals if the store does not open.
        if broken[Check.opens.rawValue] == nil { text.append("  \(totalsText)") }
        if compared < totals.observedLive { text.append("  values compared: \(compared) of \(totals.observedLive)") }
        if mutations > 0 { text.append("  positive control: \(detected) of \(mutations.counted("mutation")) detected") }
        if !notTried.isEmpty { text.append("  not tried: \(notTried.joined(separator: ", "))") }
        for (check, why) in unjudged.sorted(by: { $0.key < $1.key }) { text.append("  \(check): not judged: \(why)") }
        for (check, count) in broken.sorted(by: { $0.key < $1.key }) {
            text.append("  broken: \(check), \(count.counted("time"))")
        }
        text += violations.map { ReportLine("    \($0)") }
        text += unattributed.map { ReportLine("  may have been in flight: \($0)") }
        return text.text
    }
}
