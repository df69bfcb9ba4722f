import Oracle

/// One cell of a matrix and what came of it: what is printed, stored and merged.
package struct MatrixRow: Codable, Sendable {
    package var name: String
    package var target: String
    package var scenario: String
    package var expectation: String
    package var reason: String?
    package var expectedCheck: String?
    package var expectedLoss: String?
    /// Why it was not run here.
    package var obstacle: String?
    /// Nil when it did not run.
    package var result: RunResult?

    package init(_ cell: Matrix.Cell, _ result: RunResult?) {
        name = cell.name
        target = cell.request.target.label
        scenario = cell.request.scenario.rawValue
        expectation = cell.expectation.rawValue
        reason = cell.reason
        expectedCheck = cell.expectedCheck
        expectedLoss = cell.expectedLoss
        obstacle = cell.obstacle
        self.result = result
    }

    /// The obstacle of a cell that the machine could have run.
    package static let budgetIsUsedUp = "the budget was used up before it began"

    package var isOutOfBudget: Bool { obstacle == Self.budgetIsUsedUp }

    /// A bug that was planted on purpose, and that came out as expected: nobody needs its story.
    package var isPlantedAndFound: Bool {
        let planted = result?.configuration["planted"] ?? "none"
        return isMet && planted != "none" && expectation == Verdict.violation.rawValue
    }

    /// The row as it is kept: see `RunResult.withoutPlaces`.
    package func withoutPlaces(program: String, _ request: RunRequest) -> MatrixRow {
        var row = self
        row.result = result?.withoutPlaces(program: program, request)
        return row
    }

    func located(in folder: String, program: String) -> MatrixRow {
        var row = self
        row.result = result?.located(in: folder, program: program)
        return row
    }

    /// Whether the cell came out as expected, for the expected cause.
    package var isMet: Bool {
        guard let result, result.verdict == expectation else { return false }
        if let expectedCheck, !result.findings.contains(where: { $0.check == expectedCheck }) { return false }
        guard let expectedLoss else { return true }
        return result.findings.allSatisfy { $0.lossKinds.contains(expectedLoss) }
    }

    /// One verdict for all: pass when every cell that can run here came out as expected. A violation that nobody
    /// expected outranks everything but an error of the harness; one that was expected and is missing is such an error.
    package static func verdict(of rows: [MatrixRow]) -> Verdict {
        // When nothing could run, nothing was shown; nor by what could, and had no time to.
        let isDoubtful = rows.allSatisfy { $0.obstacle != nil } || rows.contains(where: \.isOutOfBudget)
        var worst = isDoubtful ? Verdict.inconclusive : .pass
        for row in rows where row.obstacle == nil && !row.isMet {
            let seen = row.result.flatMap { Verdict(rawValue: $0.verdict) } ?? .inconclusive
            let isMissed = row.expectation == Verdict.violation.rawValue && seen == .pass
            let counted = isMissed ? Verdict.harnessError : seen
            if counted.gravity > worst.gravity { worst = counted }
        }
        return worst
    }
}

extension Verdict {
    fileprivate var gravity: Int {
        switch self {
        case .pass: 0
        case .inconclusive: 1
        case .violation: 2
        case .harnessError: 3
        }
    }
}
