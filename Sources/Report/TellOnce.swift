import Scenarios

/// The findings of a matrix, each once: what two scenarios or two seeds show of one store for the same cause is one story.
struct TellOnce: Sequence {
    /// One cause of one store, with every row that shows it; the first tells it best.
    struct Told {
        var rows: [MatrixRow]
        var findings: [Finding]
    }

    private var told: [Told] = []

    init(_ rows: [MatrixRow]) {
        var places: [Cause: Int] = [:]
        for row in rows {
            for finding in row.result?.findings ?? [] {
                let cause = Cause(target: row.target, check: finding.check, lossKinds: finding.lossKinds)
                guard let place = places[cause] else {
                    places[cause] = told.count
                    told.append(Told(rows: [row], findings: [finding]))
                    continue
                }
                // A story with a timeline, of the smallest crash, comes first.
                let isBetter = Self.size(finding) < Self.size(told[place].findings[0])
                told[place].rows.insert(row, at: isBetter ? 0 : told[place].rows.count)
                told[place].findings.insert(finding, at: isBetter ? 0 : told[place].findings.count)
            }
        }
    }

    func makeIterator() -> IndexingIterator<[Told]> { told.makeIterator() }

    private struct Cause: Hashable {
        var target: String
        var check: String
        var lossKinds: [String]
    }

    private static func size(_ finding: Finding) -> Int { finding.account?.crashPoint ?? .max }
}
