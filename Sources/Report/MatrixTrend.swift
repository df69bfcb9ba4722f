import Bytes
import Matrices
import Oracle
import Runs

/// An earlier matrix, to compare with. Cells with equal names do the same.
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
    func facts(_ now: [MatrixRow]) -> [HTMLPage.Fact] {
        let common = now.filter { rows[$0.name] != nil }
        let ran = common.filter { $0.result != nil && rows[$0.name]?.result != nil }
        let names = Set(now.map(\.name))
        let worse = ran.count { !$0.isAsExpected && rows[$0.name]?.isAsExpected == true }
        let better = ran.count { $0.isAsExpected && rows[$0.name]?.isAsExpected == false }
        let seconds = ran.reduce(0) { $0 + ($1.result?.seconds ?? 0) }
        let before = ran.reduce(0) { $0 + (rows[$1.name]?.result?.seconds ?? 0) }
        return [
            .init(label: "compared", value: common.count.counted("cell")),
            .init(label: "worse", value: "\(worse)"), .init(label: "better", value: "\(better)"),
            .init(label: "new", value: "\(now.count - common.count)"),
            .init(label: "gone", value: "\(rows.keys.count { !names.contains($0) })"),
            .init(
                label: "seconds of the cells that ran both times",
                value: "\(HTMLMatrix.tenths(before)) before, \(HTMLMatrix.tenths(seconds)) now"),
        ]
    }
}
