import Bytes
import Exploration
import Oracle
import Runs
import Scenarios

/// One run for people: the verdict, the coverage, and each finding with its story and command.
package struct RunReport: ReportSubject {
    let result: RunResult

    package init(_ result: RunResult) { self.result = result }

    package var verdict: Verdict { result.verdict }
    package var entries: [ReportEntry] { [ReportEntry(result)] }
    package var notes: [String] { RunReport.notSeen(of: result) }

    package func encode(to encoder: any Encoder) throws { try result.encode(to: encoder) }

    package func text(for terminal: Terminal) -> String {
        let verdict = RunReport.cell(of: result)
        var lines: [ReportLine] = [
            verdict.style.shown(verdict.text, on: terminal) + "  \(RunReport.title(result))"
        ]
        if let reason = result.reason, let said = besideStories(reason) {
            lines.append("  \(said.withLongWordsShortened())")
        }
        lines += (result.warnings ?? []).map { "  " + Style.doubtful.shown("warning", on: terminal) + ": \($0)" }
        lines.append("  \(counts)")
        if let ignored = RunReport.ignored(in: result) { lines.append("  \(ignored)") }
        if let coverage = result.coverage { lines.append("  \(coverage)") }
        lines += (result.block.map(BlockLines.lines) ?? []).map { ReportLine("  \($0)") }
        if let guest = result.guest { lines.append("  \(FlakeyTable.words(for: guest))") }
        if let explored = result.explored, explored.unit != nil {
            let end = explored.isPartial ? ": the budget is used up" : ""
            lines.append("  \(explored) done\(end)")
        }
        if let bounded = result.bounded { lines.append("  bounded: \(RunReport.places(of: bounded))") }
        if let boundaries = result.boundaries { lines.append("  \(RunReport.words(boundaries))") }
        lines += (result.soak.map { SoakTable($0, besides: result.reason).lines(for: terminal) } ?? []).map {
            "  " + $0
        }
        lines += (result.profiles.map { ProfileTable($0).lines(for: terminal) } ?? []).map { "  " + $0 }
        lines += (result.aims.map { CutTable($0).lines(for: terminal) } ?? []).map { "  " + $0 }
        lines += (result.faults.map { FaultTable($0).lines(for: terminal) } ?? []).map { "  " + $0 }
        lines += (result.barriers.map { BarrierTable($0).lines(for: terminal) } ?? []).map { "  " + $0 }
        lines += (result.flakey.map { FlakeyTable($0).lines(for: terminal) } ?? []).map { "  " + $0 }
        for (index, finding) in result.findings.enumerated() {
            lines += RunReport.story(of: finding, number: index + 1, terminal)
        }
        lines += RunReport.notSeen(of: result).map { ReportLine("  \($0)") }
        if let weaker = result.profilesNotTried {
            let names = weaker.map(\.rawValue).joined(separator: ", ")
            lines.append("  profiles not tried: \(names); `explore --profile all` tries each")
        }
        let notMinimised = RunReport.notMinimised(result)
        if !notMinimised.isEmpty { lines += [""] + notMinimised.map { ReportLine("  \($0)") } }
        for state in result.unstable ?? [] {
            lines += [""] + UnstableReport(state).lines(for: terminal, indent: 2)
        }
        if let resume = result.resume { lines.append("  continue with: \(resume)") }
        if let directory = result.directory { lines.append("  everything is in \(directory)") }
        return lines.text
    }

    /// `not varied, because the manifest ignores it: LOG* (2 files)`
    static func ignored(in result: RunResult) -> String? {
        guard let ignored = result.ignored, !ignored.isEmpty else { return nil }
        let patterns = ignored.map {
            $0.files == 0 ? "\($0.pattern) (matches no file)" : "\($0.pattern) (\($0.files.counted("file")))"
        }
        return "not varied, because the manifest ignores it: \(patterns.joined(separator: ", "))"
    }

    /// The findings that are known and did not occur: `known and not seen: opens (write db): the reason`.
    static func notSeen(of result: RunResult) -> [String] {
        (result.known ?? []).filter { $0.findings == 0 }.map {
            "known and not seen in this run: \($0.finding): \($0.finding.reason)"
        }
    }

    /// `12 failing states of opens were not minimised: …`, a line a check.
    static func notMinimised(_ result: RunResult) -> [String] {
        (result.notMinimised ?? [:]).sorted { $0.key < $1.key }.map { check, count in
            "\(count.counted("failing state")) of \(check.rawValue) "
                + (count == 1 ? "was not minimised: it" : "were not minimised: they")
                + " may fail for causes that are not told here"
        } + (result.known ?? []).compactMap(attributed)
    }

    /// `12 more failing states were not minimised; they fail like the known opens (write db): …`
    private static func attributed(_ known: KnownOutcome) -> String? {
        guard let count = known.attributed else { return nil }
        return "\(count.counted("more failing state", "more failing states")) "
            + (count == 1 ? "was not minimised: it fails" : "were not minimised: they fail")
            + " like the known \(known.finding): \(known.finding.reason)"
    }

    /// The part of the reason that is in no finding's story.
    private func besideStories(_ reason: String) -> String? {
        guard let story = result.findings.first?.story, reason.hasPrefix(story) else { return reason }
        let rest = reason.dropFirst(story.count)
        return rest.isEmpty ? nil : String(rest.trimmingPrefix("; "))
    }

    /// `the epochs that end at event 411 (23 unsynced changes, 1204 states looked at), 530 (…) and 4 more (result.json)`
    private static func places(of bounds: [Coverage.Bound]) -> String {
        let shown = bounds.prefix(3).map {
            "\($0.event) (\($0.atoms.counted("unsynced change")), \($0.states.counted("state")) looked at)"
        }
        let rest = bounds.count - shown.count
        return "the epochs that end at event " + shown.joined(separator: ", ")
            + (rest > 0 ? " and \(rest) more (result.json)" : "")
    }

    private static func words(_ boundaries: RunResult.Boundaries) -> String {
        if let obstacle = boundaries.obstacle { return "kill states of each operation: NOT CHECKED: \(obstacle)" }
        let explored = boundaries.explored.map { "\($0) boundaries" } ?? "the boundaries"
        let isPartial = boundaries.explored?.isPartial == true
        return "kill states of each operation: \(explored) of a run of \(boundaries.operations.counted("operation")), "
            + "\(boundaries.states.counted("distinct state"))"
            + (isPartial ? "; the time was up before the states of the other boundaries were all checked" : "")
    }

    /// `32794`, or `9.4e28` where states were decided without being recovered.
    private static func decided(_ states: RunResult.States) -> String {
        guard let decided = states.deciding?.states.description, decided.count > 12 else { return "\(states.decided)" }
        let digits = decided.prefix(2)
        return "\(digits.first!).\(digits.last!)e\(decided.count - 1)"
    }

    private var counts: String {
        var parts = ["\(result.acknowledged.counted("operation")) acknowledged"]
        if result.states.checked > 1 {
            parts.append("\(result.states.checked) crash states recovered, \(Self.decided(result.states)) judged")
        }
        if !result.cuts.isEmpty {
            let what = result.scenario == .kill ? "kill" : "live cut"
            let landed = "\(result.controls.cutsLanded) of \(result.cuts.count.counted(what))"
            parts.append(landed + " landed in the middle of the work")
            let late = result.cuts.compactMap { cut in cut.asked.map { cut.acknowledged - $0 } }.filter { $0 > 0 }
            if let most = late.max() {
                parts.append(
                    "\(late.count) up to \(most.counted("acknowledgement")) later than asked for, and another time "
                        + "elsewhere: the workload does not stop at FAULTLINE_ACKS (docs/targets.md)")
            }
        }
        parts.append(
            "positive control: \(result.controls.detected) of \(result.controls.mutations.counted("mutation")) detected"
        )
        if !result.notTried.isEmpty {
            parts.append("not tried: \(result.notTried.map(\.rawValue).joined(separator: ", "))")
        }
        return parts.joined(separator: ", ")
    }

    static func story(of finding: Finding, number: Int, _ terminal: Terminal) -> [ReportLine] {
        let check = Style.bad.shown(finding.check.rawValue, on: terminal)
        var lines: [ReportLine] = ["", "  \(number). \(check): \(RunReport.headline(of: finding))"]
        if let account = finding.account { lines += StoryReport(account).lines(for: terminal, indent: 4) }
        let remarks = remarks(on: finding).map { ReportLine("    \($0)") }
        lines += remarks.prefix(1) + errors(of: finding) + remarks.dropFirst()
        if let known = finding.known {
            lines.append(Style.faint.shown("    known: \(known)", on: terminal))
        }
        if let problem = finding.caseProblem { lines.append("    no case could be written: \(problem)") }
        if let replay = finding.replay { lines.append("    \(replay)") }
        if let recheck = finding.recheck { lines.append("    after a fix: \(recheck)") }
        return lines
    }

    /// The number of failing states, whether minimisation was complete, and the confirmations: a sentence each.
    static func remarks(on finding: Finding) -> [String] {
        var remarks: [String] = []
        if finding.case != nil || !finding.lost.isEmpty {
            let what = finding.strongestProfile == .noCrash ? "state" : "crash state"
            let states = finding.states.counted("\(what) fails", "\(what)s fail")
            let profile =
                [.noCrash, .profile(.block)].contains(finding.strongestProfile)
                ? "" : "; strongest profile that shows it: \(finding.strongestProfile)"
            remarks.append("\(states) for this cause\(profile)")
        }
        if finding.isCutShort == true {
            remarks.append("not fully minimised: the time was up; `minimise` continues with the case")
        }
        return remarks + (finding.confirmed ?? []).map(\.words)
    }

    /// The store's errors in these states, if there is more than one kind.
    private static func errors(of finding: Finding) -> [ReportLine] {
        guard let errors = finding.errors, errors.count > 1 else { return [] }
        let shown = errors.prefix(mostErrors).flatMap { error in
            StoryReport.wrapped("\(error.states.counted("state")): ", error.text, "      ")
        }
        let rest = errors.count - mostErrors
        let more: [ReportLine] = rest > 0 ? ["      and \(rest) more (result.json)"] : []
        return ["    it said \(errors.count.counted("thing")):"] + shown + more
    }

    /// The same as plain lines.
    static func errorLines(of finding: Finding) -> [String] {
        let errors = finding.errors ?? []
        let rest = errors.count - mostErrors
        return errors.prefix(mostErrors).map { "\($0.states.counted("state")): \($0.text)" }
            + (rest > 0 ? ["and \(rest) more (result.json)"] : [])
    }

    private static let mostErrors = 5

    /// The finding's story without the leading check name.
    static func headline(of finding: Finding) -> String {
        finding.account?.headline
            ?? finding.story.replacing("\(finding.check.rawValue): ", with: "", maxReplacements: 1)
    }

    /// `sqlite journal_mode=delete synchronous=full, power-cut, ext4-ordered, durable, seed 1`
    static func title(_ result: RunResult) -> String {
        let below = result.block.map(BlockLines.name) ?? result.profile.name
        return [name(result), result.scenario.rawValue, below, result.contract, "seed \(result.seed)"].joined(
            separator: ", ")
    }

    /// `sqlite journal_mode=delete synchronous=full`
    static func name(_ result: RunResult) -> String { ([result.target] + settings(result)).joined(separator: " ") }

    static func settings(_ result: RunResult) -> [String] {
        result.configuration.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// The verdict, with its coverage if partial: `pass (partial 150/605)`.
    static func verdict(_ verdict: Verdict, _ explored: RunResult.Explored?) -> String {
        guard verdict == .pass, let explored, explored.isPartial else { return verdict.rawValue }
        return "\(verdict.rawValue) (partial \(explored))"
    }

    static func cell(of result: RunResult) -> Table.Cell {
        Table.Cell(
            verdict(result.verdict, result.explored) + RunReport.apart(result.verdict, result.knownCount),
            style(of: result.verdict))
    }

    /// ` apart from 2 known findings`, behind the verdict of a run that has some and no others.
    static func apart(_ verdict: Verdict, _ count: Int) -> String {
        count > 0 && verdict == .pass ? " apart from \(count.counted("known finding"))" : ""
    }

    static func cell(_ verdict: Verdict) -> Table.Cell { Table.Cell(verdict.rawValue, style(of: verdict)) }

    static func style(of verdict: Verdict) -> Style {
        switch verdict {
        case .pass: .good
        case .violation, .harnessError: .bad
        case .inconclusive, .filesystem: .doubtful
        }
    }
}
