import Benchmarks
import Scenarios

/// Benchmark rows for people and programs.
package struct BenchReport: Encodable {
    private let rows: [BenchmarkRow]

    package init(rows: [BenchmarkRow]) { self.rows = rows }

    package func text(for terminal: Terminal) -> String {
        var table = Table([
            .init("row"), .init("value", .right), .init("baseline", .right), .init("aim"), .init("met"),
            .init("what the baseline is"),
        ])
        for row in rows {
            table.add([
                .init(row.name), .init(BenchReport.number(row.value, row.unit)),
                .init(BenchReport.number(row.baselineValue, row.unit)), .init(row.aimText),
                row.meetsAim ? .init("yes", .good) : .init("no", .bad), .init(row.baseline),
            ])
        }
        return table.text(for: terminal)
    }

    private static func number(_ value: Double, _ unit: String) -> String { "\((value * 10).rounded() / 10) \(unit)" }
}
