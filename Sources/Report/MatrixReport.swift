import Bytes
import Matrices
import Oracle
import Runs
import Scenarios
import Targets

/// A matrix for people and programs: a line for each cell, unexpected results, and the overall verdict.
package struct MatrixReport: ReportSubject {
    package let verdict: Verdict
    let rows: [MatrixRow]
    /// Whether to report planted bugs with the expected outcome too.
    let showsAll: Bool
    /// An earlier matrix, to compare with.
    let trend: MatrixTrend?

    private enum CodingKeys: String, CodingKey { case verdict, cells, skipped, against }

    package init(_ rows: [MatrixRow], showsAll: Bool = false, against trend: MatrixTrend? = nil) {
        self.rows = rows
        self.trend = trend
        self.showsAll = showsAll
        verdict = MatrixRow.verdict(of: rows)
    }

    package var entries: [ReportEntry] { rows.map { ReportEntry($0) } }
    package var notes: [String] { MatrixReport.notSeen(rows) + (trend?.lines(rows) ?? []) }

    /// A run's result and the expected one.
    private struct Cell: Encodable {
        var row: MatrixRow
        var result: RunResult

        private enum CodingKeys: String, CodingKey { case expectation, expected, expectedReason }

        func encode(to encoder: any Encoder) throws {
            try result.encode(to: encoder)
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(row.expectation, forKey: .expectation)
            try fields.encode(row.isAsExpected, forKey: .expected)
            try fields.encodeIfPresent(row.reason, forKey: .expectedReason)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(verdict, forKey: .verdict)
        try fields.encode(rows.compactMap { row in row.result.map { Cell(row: row, result: $0) } }, forKey: .cells)
        let skipped = rows.compactMap { row in row.obstacle.map { "\(row.target), \(row.scenario): \($0)" } }
        try fields.encode(skipped, forKey: .skipped)
        try fields.encodeIfPresent(trend?.summary(rows), forKey: .against)
    }

    /// The text for a terminal. Planted bugs with the expected outcome take one line, unless `showsAll`.
    package func text(for terminal: Terminal) -> String {
        var table = Table([
            .init("verdict"), .init("store"), .init("scenario"), .init("runs", .right), .init("acknowledged", .right),
            .init("crash states", .right), .init("epochs explored", .right), .init("seconds", .right),
            .init("strongest profile that fails, and why"),
        ])
        for line in lines { table.add(line.cells) }
        var text = table.text(for: terminal)
        for (place, told) in UniqueFindings(rows.filter { showsAll || !$0.isPlantedAndFound }).enumerated() {
            text += "\n" + self.text(of: told, number: place + 1, terminal)
        }
        for row in rows {
            for line in row.result.map(RunReport.notMinimised) ?? [] {
                text += ["", ReportLine("\(row.shownTarget), \(row.scenario): \(line)")].text
            }
        }
        for line in MatrixReport.notSeen(rows) { text += ["", ReportLine(line)].text }
        let planted = rows.filter(\.isPlanted)
        let found = planted.count(where: \.isPlantedAndFound)
        if found > 0, !showsAll {
            text += "\n\(found) of \(planted.count.counted("planted bug")) found"
            text += "; `faultline planted NAME` tells the story of one, --all shows each here\n"
        }
        if let trend { text += ([""] + trend.lines(rows).map { ReportLine($0) }).text }
        return text + "\n" + [summary(terminal)].text
    }

    /// One finding, for all rows that show it.
    private func text(of told: UniqueFindings.Entry, number: Int, _ terminal: Terminal) -> String {
        let row = told.rows[0]
        let finding = told.findings[0]
        let verdict = verdict(of: row)
        let scenarios = MatrixReport.unique(told.rows.map(\.scenario.rawValue)).joined(separator: " and ")
        let profile = row.result?.profile.name ?? ""
        var lines: [ReportLine] = [
            verdict.style.shown(verdict.text, on: terminal) + "  \(row.shownTarget), \(scenarios), \(profile)"
        ]
        lines += RunReport.story(of: finding, number: number, terminal)
        for (row, finding) in zip(told.rows, told.findings).dropFirst() {
            let command = finding.replay.map { ": \($0)" } ?? ""
            lines.append("    shown by \(row.scenario), seed \(row.result?.seed ?? 0), too\(command)")
        }
        return lines.text
    }

    /// Known findings that occurred in none of the runs that could show them.
    static func notSeen(_ rows: [MatrixRow]) -> [String] {
        var states: [(target: String, finding: KnownFinding, count: Int)] = []
        for row in rows {
            for known in row.result?.known ?? [] {
                let place = states.firstIndex { $0.target == row.shownTarget && $0.finding == known.finding }
                if let place {
                    states[place].count += known.findings
                } else {
                    states.append((row.shownTarget, known.finding, known.findings))
                }
            }
        }
        return states.filter { $0.count == 0 }.map {
            "known of \($0.target) and not seen: \($0.finding): \($0.finding.reason)"
        }
    }

    /// The verdict of a row, marked if it was expected.
    private func verdict(of row: MatrixRow) -> Table.Cell {
        guard let result = row.result else { return "not run" }
        let mark = row.isAsExpected && row.expectation != .pass ? " (expected)" : ""
        return Table.Cell(
            result.verdict.rawValue + mark, row.isAsExpected ? .good : RunReport.style(of: result.verdict))
    }

    private static func unique(_ words: [String]) -> [String] {
        var known: Set<String> = []
        return words.filter { known.insert($0).inserted }
    }

    /// The cells of one target and scenario with alike results, as one table line.
    private struct Line {
        var verdict: Table.Cell
        var row: MatrixRow
        var why: String
        var runs = 1
        var acknowledged = 0
        var states = 0
        /// The coverage; nil if the scenario explores no epochs.
        var explored: RunResult.Explored?
        var seconds = 0.0
        /// The number of accepted findings.
        var known = 0

        /// - Parameter shown: the row's verdict.
        init(_ row: MatrixRow, _ shown: Table.Cell) {
            self.row = row
            guard row.obstacle == nil, let result = row.result else {
                let isLeft = row.obstacle == nil || row.isOutOfBudget
                verdict = isLeft ? .init("not run", .faint) : .init("skipped", .doubtful)
                why = row.obstacle ?? ""
                return
            }
            verdict = shown
            let accepted = MatrixReport.unique(result.findings.compactMap(\.known)).joined(separator: "; ")
            let reason =
                row.isAsExpected
                ? row.reason ?? accepted
                : "expected \(row.expectation.rawValue)" + (result.reason.map { "; \($0)" } ?? "")
            let profile = result.findings.first.map { "\($0.strongestProfile)" + (reason.isEmpty ? "" : "; ") } ?? ""
            why = profile + reason
            (acknowledged, states, seconds) = (result.acknowledged, result.states.checked, result.seconds)
            explored = result.explored
            known = row.isAsExpected ? result.knownCount : 0
        }

        var hasRun: Bool { row.obstacle == nil && row.result != nil }

        /// The key for grouping: violations of the same check are alike, whatever key shows them.
        var groupingKey: String {
            let cause =
                row.isAsExpected || row.result?.findings.isEmpty != false ? why : row.result!.findings[0].check.rawValue
            return [row.target, row.scenario.rawValue, verdict.text, cause].joined(separator: "\n")
        }

        mutating func add(_ other: Line) {
            runs += other.runs
            acknowledged += other.acknowledged
            states += other.states
            explored = explored.map { $0 + (other.explored ?? .none) } ?? other.explored
            seconds += other.seconds
            known += other.known
        }

        var cells: [Table.Cell] {
            let epochs = explored.map { Table.Cell("\($0)", $0.isPartial ? .doubtful : .plain) } ?? ""
            let counts: [Table.Cell] = [
                .init("\(acknowledged)"), .init("\(states)"), epochs, .init(MatrixReport.tenths(seconds)),
            ]
            return [verdictOfAll, .init(row.shownTarget), .init(row.scenario.rawValue), .init("\(runs)")]
                + (hasRun ? counts : ["", "", "", ""]) + [.init(why)]
        }

        /// The verdict, marked if it covers only part of the epochs.
        private var verdictOfAll: Table.Cell {
            guard verdict.text == Verdict.pass.rawValue else { return verdict }
            return Table.Cell(
                RunReport.verdict(.pass, explored) + RunReport.apart(.pass, known), verdict.style)
        }
    }

    /// Unmodified stores first, then those with planted bugs, if shown.
    private var lines: [Line] {
        var lines: [Line] = []
        var places: [String: Int] = [:]
        let shown = rows.filter { !$0.isPlanted } + rows.filter { $0.isPlanted && (showsAll || !$0.isPlantedAndFound) }
        for line in shown.map({ Line($0, verdict(of: $0)) }) {
            if let place = places[line.groupingKey] {
                lines[place].add(line)
            } else {
                places[line.groupingKey] = lines.count
                lines.append(line)
            }
        }
        return lines
    }

    private func summary(_ terminal: Terminal) -> ReportLine {
        let count = rows.count(where: \.isAsExpected)
        let left = rows.count(where: \.isOutOfBudget)
        let skipped = rows.count { $0.obstacle != nil } - left
        let style: Style = count + skipped + left < rows.count ? .bad : skipped + left > 0 ? .doubtful : .good
        let notRun = rows.count { $0.obstacle == nil && $0.result == nil }
        let note =
            (skipped > 0 ? "; \(skipped) SKIPPED: `faultline doctor` says what would enable them" : "")
            + (left > 0 ? "; \(left) not begun: the budget was used up, --resume goes on" : "")
            + (notRun > 0 ? "; \(notRun) not run" : "")
        return style.shown("\(count) of \(rows.count.counted("cell")) came out as expected\(note)", on: terminal)
    }

    private static func tenths(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}
