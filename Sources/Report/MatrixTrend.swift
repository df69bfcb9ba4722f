import Bytes
import Matrices
import Oracle
import Runs

/// An earlier matrix, to compare with. Cells with equal names do the same work.
package struct MatrixTrend {
    let name: String
    private let rows: [String: MatrixRow]

    /// Changes in time by this factor or more, up or down, are reported (from one second on).
    private static let notableRatio = 1.5

    package init(_ name: String, _ rows: [MatrixRow]) {
        self.name = name
        self.rows = Dictionary(rows.map { ($0.name, $0) }) { _, new in new }
    }

    /// The change of a cell; nil if there is none.
    func words(for row: MatrixRow) -> (String, tone: String)? {
        guard let old = rows[row.name] else { return ("new", "plain") }
        guard let was = old.result?.verdict, let now = row.result?.verdict else {
            return (old.result == nil) == (row.result == nil)
                ? nil : row.result == nil ? ("not run this time", "faint") : ("not run last time", "faint")
        }
        if was != now { return ("was \(was.rawValue)", row.isAsExpected ? "good" : "bad") }
        if old.isAsExpected != row.isAsExpected {
            return row.isAsExpected ? ("as expected now", "good") : ("was as expected", "bad")
        }
        guard let ratio = ratio(row) else { return nil }
        return ratio > 1
            ? ("\(Self.times(ratio)) × as long", "doubtful") : ("\(Self.times(1 / ratio)) × faster", "good")
    }

    /// The new time divided by the old, if notable; nil otherwise.
    private func ratio(_ row: MatrixRow) -> Double? {
        guard let old = rows[row.name]?.result?.seconds, let new = row.result?.seconds, old > 0, new > 0,
            abs(new - old) >= 1
        else { return nil }
        let ratio = new / old
        return ratio >= Self.notableRatio || ratio <= 1 / Self.notableRatio ? ratio : nil
    }

    private static func times(_ ratio: Double) -> String { "\((ratio * 10).rounded() / 10)" }

    /// The comparison as a whole.
    struct Summary: Encodable {
        /// A cell that changed.
        struct Change: Encodable {
            var cell: String
            var change: String
        }

        /// The earlier log.
        var log: String
        /// The number of cells that both matrices have.
        var compared: Int
        /// Cells that came out as expected in one of them only.
        var worse: Int
        var better: Int
        /// Cells that only this matrix has, and cells that only the earlier one has.
        var new: Int
        var gone: Int
        /// The time of the cells that ran both times.
        var secondsBefore: Double
        var secondsNow: Double
        /// In the order of the matrix, without new cells.
        var changes: [Change]
    }

    func summary(_ now: [MatrixRow]) -> Summary {
        let common = now.filter { rows[$0.name] != nil }
        let ran = common.filter { $0.result != nil && rows[$0.name]?.result != nil }
        let names = Set(now.map(\.name))
        return Summary(
            log: name, compared: common.count,
            worse: ran.count { !$0.isAsExpected && rows[$0.name]?.isAsExpected == true },
            better: ran.count { $0.isAsExpected && rows[$0.name]?.isAsExpected == false },
            new: now.count - common.count, gone: rows.keys.count { !names.contains($0) },
            secondsBefore: ran.reduce(0) { $0 + (rows[$1.name]?.result?.seconds ?? 0) },
            secondsNow: ran.reduce(0) { $0 + ($1.result?.seconds ?? 0) },
            changes: common.compactMap { row in words(for: row).map { .init(cell: row.name, change: $0.0) } })
    }

    /// The comparison for a page.
    func facts(_ now: [MatrixRow]) -> [HTMLPage.Fact] {
        let summary = summary(now)
        return [
            .init(label: "compared", value: summary.compared.counted("cell")),
            .init(label: "worse", value: "\(summary.worse)"), .init(label: "better", value: "\(summary.better)"),
            .init(label: "new", value: "\(summary.new)"), .init(label: "gone", value: "\(summary.gone)"),
            .init(
                label: "seconds of the cells that ran both times",
                value:
                    "\(HTMLMatrix.tenths(summary.secondsBefore)) before, \(HTMLMatrix.tenths(summary.secondsNow)) now"),
        ]
    }

    private static let changesAtMost = 40

    /// The comparison for a terminal: a line as a whole, then one for each cell that changed.
    func lines(_ now: [MatrixRow]) -> [String] {
        let summary = summary(now)
        let whole =
            "against \(name): \(summary.compared.counted("cell")) compared, \(summary.worse) worse, "
            + "\(summary.better) better, \(summary.new) new, \(summary.gone) gone; "
            + "\(HTMLMatrix.tenths(summary.secondsBefore)) s before, \(HTMLMatrix.tenths(summary.secondsNow)) s now"
        let rest = summary.changes.count - Self.changesAtMost
        return [whole] + summary.changes.prefix(Self.changesAtMost).map { "\($0.change): \($0.cell)" }
            + (rest > 0 ? ["and \(rest.counted("more change"))"] : [])
    }
}
