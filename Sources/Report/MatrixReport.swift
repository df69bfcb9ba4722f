import Oracle
import Scenarios

/// A matrix for people and programs: a line a cell, what was not as expected, and one verdict for all.
package struct MatrixReport: Encodable {
    private let verdict: String
    private let cells: [RunResult]
    private let expected: [Matrix.Cell]
    private let results: [RunResult?]

    /// Cells that cannot run here, and why.
    private let skipped: [String]

    private enum CodingKeys: String, CodingKey { case verdict, cells, skipped }

    package init(_ matrix: Matrix, _ results: [RunResult?]) {
        expected = matrix.cells
        self.results = results
        cells = results.compactMap(\.self)
        verdict = matrix.verdict(results).rawValue
        skipped = matrix.cells.compactMap { cell in
            cell.obstacle.map { "\(cell.request.target.label), \(cell.request.scenario.rawValue): \($0)" }
        }
    }

    package func text(for terminal: Terminal) -> String {
        var table = Table([
            .init("verdict"), .init("target"), .init("scenario"), .init("acked", .right), .init("states", .right),
            .init("seconds", .right), .init("strongest profile, and why"),
        ])
        for (cell, result) in zip(expected, results) { table.add(row(cell, result)) }
        var text = table.text(for: terminal)
        for result in cells where !result.findings.isEmpty {
            text += "\n" + RunReport(result).text(for: terminal)
        }
        return text + "\n" + summary(terminal) + "\n"
    }

    private func row(_ cell: Matrix.Cell, _ result: RunResult?) -> [Table.Cell] {
        let target = cell.request.target.label
        if let obstacle = cell.obstacle {
            return [
                .init("skipped", .doubtful), .init(target), .init(cell.request.scenario.rawValue), "", "", "",
                .init(obstacle),
            ]
        }
        guard let result else {
            return [.init("not run", .faint), .init(target), .init(cell.request.scenario.rawValue)]
        }
        let isExpected = cell.isMet(by: result)
        let mark = isExpected && cell.expectation != .pass ? " (expected)" : ""
        let why = isExpected ? cell.reason ?? "" : "expected \(cell.expectation.rawValue); \(result.reason ?? "")"
        let profile = result.findings.first.map { $0.strongestProfile + (why.isEmpty ? "" : "; ") } ?? ""
        return [
            Table.Cell(result.verdict + mark, isExpected ? .good : RunReport.cell(result.verdict).style),
            .init(target), .init(result.scenario), .init("\(result.acknowledged)"), .init("\(result.states.checked)"),
            .init(MatrixReport.tenths(result.seconds)), .init(profile + why),
        ]
    }

    private func summary(_ terminal: Terminal) -> String {
        let count = zip(expected, results).count { $0.isMet(by: $1) }
        let skipped = expected.count { $0.obstacle != nil }
        let style: Style = count + skipped < expected.count ? .bad : skipped > 0 ? .doubtful : .good
        let note = skipped > 0 ? "; \(skipped) SKIPPED: `faultline doctor` says what would enable them" : ""
        return style.shown("\(count) of \(expected.count) cells came out as expected\(note)", on: terminal)
    }

    private static func tenths(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}
