import Bytes
import Runs
import Scenarios

/// An unstable state, for people: both observations, and where they are kept.
struct UnstableReport {
    private let state: UnstableState

    init(_ state: UnstableState) { self.state = state }

    /// The lines, each after `indent` blanks.
    func lines(for terminal: Terminal, indent: Int) -> [ReportLine] {
        let margin = StoryReport.blanks(indent)
        let lost = state.lost.isEmpty ? "nothing" : state.lost.joined(separator: "; ")
        let heading = "not deterministic"
        var lines = StoryReport.wrapped(
            "", "\(heading): the crash after event \(state.crashPoint), which lost \(lost), was recovered twice", margin
        )
        let rest = lines[0].text.dropFirst(indent + heading.count)
        lines[0] = margin + Style.doubtful.shown(heading, on: terminal) + ReportLine(String(rest))
        lines += Self.lines(state.kind, state.first, state.second, margin: margin + "  ")
        if let path = state.case {
            let names = CaseRecord.observedNames.map(\.description).joined(separator: ", ")
            lines.append("\(margin)  both are in \(path): \(names)")
        }
        if let problem = state.caseProblem { lines.append("\(margin)  no case could be written: \(problem)") }
        if let replay = state.replay { lines.append("\(margin)  \(replay)") }
        return lines
    }

    /// The observations, one or more lines each.
    static func lines(
        _ kind: UnstableState.Kind, _ first: UnstableState.ObservationExcerpt,
        _ second: UnstableState.ObservationExcerpt, margin: ReportLine
    ) -> [ReportLine] {
        let titles =
            switch kind {
            case .again: ("first        ", "then         ")
            case .alone: ("persistent   ", "fresh process")
            }
        return StoryReport.wrapped(titles.0 + " ", words(first), margin)
            + StoryReport.wrapped(titles.1 + " ", words(second), margin)
    }

    private static func words(_ look: UnstableState.ObservationExcerpt) -> String {
        let place = look.isSecondRecovery == true ? "second recovery: " : ""
        if let probe = look.probe { return "a write after recovery: \(probe)" }
        if let error = look.error { return place + "does not open: \(error)" }
        let count = (look.keyCount ?? 0).counted("key")
        return place + count + (look.key.map { "; key \($0): \(look.value ?? "not there")" } ?? "")
    }
}
