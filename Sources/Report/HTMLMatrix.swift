import Bytes
import Matrices
import Oracle
import Runs
import Scenarios

/// A matrix: a grid of targets × scenarios, all cells, and the changes since an earlier matrix.
struct HTMLMatrix {
    /// The cells of one target under one scenario.
    struct GridCell {
        var gridVerdict: HTMLVerdict?
        var isUnexpected: Bool
        /// The number of cells, if there are several.
        var count: Int?
        var label: String
    }

    struct GridRow {
        var gridTarget: String
        var cells: [GridCell]
    }

    struct Row {
        var outcome: String
        var rowVerdict: HTMLVerdict
        var isUnexpected: Bool
        var rowTarget: String
        var rowScenario: String
        var what: String
        var acknowledged: String
        var states: String
        var rate: String
        var epochs: String
        var controls: String
        var seconds: String
        var why: String
        /// The changes since the earlier matrix.
        var trend: String?
        var trendTone: String?
    }

    var facts: [HTMLPage.Fact]
    var scenarios: [String]
    var gridRows: [GridRow]
    var gridCut: String?
    var rows: [Row]
    var isCompared: Bool
    var trendFacts: [HTMLPage.Fact] = []
    var against: String?

    /// The most cells on a page; more would make it too large.
    private static let rowsAtMost = 2000
    private static let gridRowsAtMost = 300

    init(_ rows: [MatrixRow], against earlier: MatrixTrend?) {
        facts = Self.facts(rows)
        let scenarios = Self.unique(rows.map(\.scenario.rawValue))
        self.scenarios = scenarios
        isCompared = earlier != nil
        against = earlier?.name
        trendFacts = earlier?.facts(rows) ?? []
        let targets = Self.unique(rows.map(\.shownTarget))
        let byPlace = Dictionary(grouping: rows) { [$0.shownTarget, $0.scenario.rawValue] }
        gridRows = targets.prefix(Self.gridRowsAtMost).map { target in
            GridRow(gridTarget: target, cells: scenarios.map { GridCell(byPlace[[target, $0]] ?? []) })
        }
        let hidden = targets.count - gridRows.count
        gridCut = hidden > 0 ? "\(hidden.counted("more target")) in the list below" : nil
        // Cells that need attention come first and are never cut.
        let order = rows.enumerated().sorted { (Self.rank($0.element), $0.offset) < (Self.rank($1.element), $1.offset) }
        self.rows = order.prefix(Self.rowsAtMost).map { Row($0.element, against: earlier) }
        if rows.count > Self.rowsAtMost {
            facts.append(.init(label: "not listed", value: (rows.count - Self.rowsAtMost).counted("cell")))
        }
    }

    private static func rank(_ row: MatrixRow) -> Int {
        if row.obstacle != nil { return 2 }
        return row.isAsExpected ? row.expectation == .pass ? 3 : 4 : row.result?.verdict == .inconclusive ? 1 : 0
    }

    private static func facts(_ rows: [MatrixRow]) -> [HTMLPage.Fact] {
        let results = rows.compactMap(\.result)
        let seconds = results.reduce(0) { $0 + $1.seconds }
        let mutations = results.reduce(0) { $0 + $1.controls.mutations }
        let detected = results.reduce(0) { $0 + $1.controls.detected }
        let planted = rows.filter(\.isPlanted)
        var facts: [HTMLPage.Fact] = [
            .init(label: "as expected", value: "\(rows.count(where: \.isAsExpected)) of \(rows.count.counted("cell"))"),
            .init(label: "unexpected", value: "\(rows.count { $0.obstacle == nil && !$0.isAsExpected })"),
            .init(label: "skipped or not begun", value: "\(rows.count { $0.obstacle != nil })"),
            .init(label: "acknowledged", value: results.reduce(0) { $0 + $1.acknowledged }.counted("operation")),
            .init(label: "crash states recovered", value: "\(results.reduce(0) { $0 + $1.states.checked })"),
            .init(label: "positive controls", value: "\(detected) of \(mutations.counted("mutation")) detected"),
            .init(label: "seconds of all cells", value: tenths(seconds)),
        ]
        if !planted.isEmpty {
            let found = planted.count(where: \.isPlantedAndFound)
            facts.append(.init(label: "planted bugs found", value: "\(found) of \(planted.count)"))
        }
        return facts
    }

    static func unique(_ words: [String]) -> [String] {
        var known: Set<String> = []
        return words.filter { known.insert($0).inserted }
    }

    static func tenths(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}

extension HTMLMatrix.GridCell {
    /// The worst cell decides the symbol.
    fileprivate init(_ rows: [MatrixRow]) {
        count = rows.count > 1 ? rows.count : nil
        isUnexpected = rows.contains { $0.obstacle == nil && !$0.isAsExpected }
        let unexpected = rows.filter { $0.obstacle == nil && !$0.isAsExpected }
        guard let shown = unexpected.first ?? rows.first(where: { $0.obstacle == nil }) ?? rows.first else {
            (gridVerdict, label) = (nil, "no cell")
            return
        }
        let verdict = HTMLVerdict(row: shown)
        gridVerdict = verdict
        let words = Dictionary(grouping: rows.map { HTMLVerdict(row: $0).word }, by: \.self)
        label = words.sorted { $0.key < $1.key }.map { "\($0.value.count) × \($0.key)" }.joined(separator: ", ")
    }
}

extension HTMLMatrix.Row {
    fileprivate init(_ row: MatrixRow, against earlier: MatrixTrend?) {
        rowVerdict = HTMLVerdict(row: row)
        isUnexpected = row.obstacle == nil && !row.isAsExpected
        outcome =
            row.obstacle != nil
            ? "skipped"
            : row.result?.verdict == .inconclusive && !row.isAsExpected
                ? "inconclusive"
                : isUnexpected ? "unexpected" : row.expectation == .pass ? "pass" : "expected"
        (rowTarget, rowScenario) = (row.shownTarget, row.scenario.rawValue)
        let words = row.name.split(separator: ", ").dropFirst(2).filter { !["cycles 0", "budget none"].contains($0) }
        what = words.joined(separator: ", ")
        let result = row.result
        acknowledged = result.map { "\($0.acknowledged)" } ?? ""
        states = result.map { "\($0.states.checked)" } ?? ""
        rate = result.map { $0.states.ratePerSecond > 0 ? "\(Int($0.states.ratePerSecond))" : "" } ?? ""
        epochs = result?.explored.map(\.description) ?? ""
        controls = result.map { "\($0.controls.detected)/\($0.controls.mutations)" } ?? ""
        seconds = result.map { HTMLMatrix.tenths($0.seconds) } ?? ""
        let reason =
            isUnexpected
            ? "expected \(row.expectation.rawValue)" + (result?.reason.map { "; \($0)" } ?? "")
            : row.obstacle ?? row.reason ?? result?.findings.compactMap(\.known).first ?? ""
        why = String(reason.prefix(240)) + (reason.count > 240 ? "…" : "")
        (trend, trendTone) = earlier?.words(for: row) ?? (nil, nil)
    }
}

extension HTMLVerdict {
    /// The verdict of a cell: an expected one is good, also an expected violation.
    init(row: MatrixRow) {
        guard row.obstacle == nil, let result = row.result else {
            self.init(
                word: row.obstacle == nil || row.isOutOfBudget ? "not run" : "skipped", symbol: "–", tone: "faint")
            return
        }
        self.init(result.verdict, word: RunReport.cell(of: result).text)
        guard row.isAsExpected, row.expectation != .pass else { return }
        (word, symbol, tone) = (word + " (expected)", "◆", "known")
    }
}
