import Oracle
import Scenarios

/// A matrix for people and programs: a line a cell, what was not as expected, and one verdict for all.
package struct MatrixReport: Encodable {
    private let verdict: String
    private let rows: [MatrixRow]

    private enum CodingKeys: String, CodingKey { case verdict, cells, skipped }

    package init(_ rows: [MatrixRow]) {
        self.rows = rows
        verdict = MatrixRow.verdict(of: rows).rawValue
    }

    /// A run's result, and what was expected of it.
    private struct Cell: Encodable {
        var row: MatrixRow
        var result: RunResult

        private enum CodingKeys: String, CodingKey { case expectation, expected, expectedReason }

        func encode(to encoder: any Encoder) throws {
            try result.encode(to: encoder)
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(row.expectation, forKey: .expectation)
            try fields.encode(row.isMet, forKey: .expected)
            try fields.encodeIfPresent(row.reason, forKey: .expectedReason)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(verdict, forKey: .verdict)
        try fields.encode(rows.compactMap { row in row.result.map { Cell(row: row, result: $0) } }, forKey: .cells)
        let skipped = rows.compactMap { row in row.obstacle.map { "\(row.target), \(row.scenario): \($0)" } }
        try fields.encode(skipped, forKey: .skipped)
    }

    package func text(for terminal: Terminal) -> String {
        var table = Table([
            .init("verdict"), .init("target"), .init("scenario"), .init("acked", .right), .init("states", .right),
            .init("seconds", .right), .init("strongest profile, and why"),
        ])
        for row in rows { table.add(cells(row)) }
        var text = table.text(for: terminal)
        for result in rows.compactMap(\.result) where !result.findings.isEmpty {
            text += "\n" + RunReport(result).text(for: terminal)
        }
        return text + "\n" + summary(terminal) + "\n"
    }

    private func cells(_ row: MatrixRow) -> [Table.Cell] {
        let target = row.target
        if let obstacle = row.obstacle {
            return [.init("skipped", .doubtful), .init(target), .init(row.scenario), "", "", "", .init(obstacle)]
        }
        guard let result = row.result else {
            return [.init("not run", .faint), .init(target), .init(row.scenario)]
        }
        let isExpected = row.isMet
        let mark = isExpected && row.expectation != Verdict.pass.rawValue ? " (expected)" : ""
        let why = isExpected ? row.reason ?? "" : "expected \(row.expectation); \(result.reason ?? "")"
        let profile = result.findings.first.map { $0.strongestProfile + (why.isEmpty ? "" : "; ") } ?? ""
        return [
            Table.Cell(result.verdict + mark, isExpected ? .good : RunReport.cell(result.verdict).style),
            .init(target), .init(result.scenario), .init("\(result.acknowledged)"), .init("\(result.states.checked)"),
            .init(MatrixReport.tenths(result.seconds)), .init(profile + why),
        ]
    }

    private func summary(_ terminal: Terminal) -> String {
        let count = rows.count(where: \.isMet)
        let skipped = rows.count { $0.obstacle != nil }
        let style: Style = count + skipped < rows.count ? .bad : skipped > 0 ? .doubtful : .good
        let note = skipped > 0 ? "; \(skipped) SKIPPED: `faultline doctor` says what would enable them" : ""
        return style.shown("\(count) of \(rows.count) cells came out as expected\(note)", on: terminal)
    }

    private static func tenths(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}
