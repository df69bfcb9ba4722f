import Matrices
import Runs
import Scenarios

/// The findings of a matrix, each once: the same cause in one store, seen by several scenarios or seeds, is one story.
struct UniqueFindings: Sequence {
    /// One cause in one store, with all rows that show it, the best representative first.
    struct Entry {
        var rows: [MatrixRow]
        var findings: [Finding]
    }

    private var told: [Entry] = []

    init(_ rows: [MatrixRow]) {
        for row in rows {
            for finding in row.result?.findings ?? [] {
                let known = told.firstIndex {
                    $0.rows[0].target == row.target && $0.findings[0].isGrouped(with: finding)
                }
                guard let known else {
                    told.append(Entry(rows: [row], findings: [finding]))
                    continue
                }
                // A story with a timeline, of the smallest crash, comes first.
                let isBetter = Self.size(finding) < Self.size(told[known].findings[0])
                told[known].rows.insert(row, at: isBetter ? 0 : told[known].rows.count)
                told[known].findings.insert(finding, at: isBetter ? 0 : told[known].findings.count)
            }
        }
    }

    func makeIterator() -> IndexingIterator<[Entry]> { told.makeIterator() }

    private static func size(_ finding: Finding) -> Int { finding.account?.crashPoint ?? .max }
}
