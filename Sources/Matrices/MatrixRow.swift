import Bytes
import Foundation
import Machine
import Oracle
import Runs
import Scenarios

/// A cell of a matrix with its result, for output, storage and merging.
package struct MatrixRow: Codable, Sendable {
    package var name: String
    package var target: String
    /// The target with only the parameters that differ from their defaults; nil in results of an older version.
    package var shortTarget: String?
    package var scenario: ScenarioName
    package var expectation: Verdict
    package var reason: String?
    package var expectedCheck: Check?
    package var expectedLoss: ExpectedLoss?
    /// The reason why the cell was skipped; nil if it was not.
    package var obstacle: String?
    /// True if the cell could have run but the time budget was used up; nil for false.
    package var outOfBudget: Bool?
    /// The path of the target's manifest, relative to the file that holds the row. Only its file name if the two share
    /// no directory but the root.
    package var manifest: String?
    /// nil if the cell did not run.
    package var result: RunResult?

    package init(_ cell: Matrix.Cell, _ result: RunResult?) {
        name = cell.name
        target = cell.request.target.label
        shortTarget = cell.request.target.shortLabel
        scenario = cell.request.scenario.name
        expectation = cell.expectation
        reason = cell.reason
        expectedCheck = cell.expectedCheck
        expectedLoss = cell.expectedLoss
        obstacle = cell.obstacle
        self.result = result
    }

    package var isOutOfBudget: Bool { outOfBudget == true }

    /// Whether a planted bug was found as expected. Reports leave out its story.
    package var isPlantedAndFound: Bool { isPlanted && isAsExpected }

    /// Whether the cell ran with a planted bug and expects a violation.
    package var isPlanted: Bool {
        let planted = result?.configuration["planted"] ?? "none"
        return planted != "none" && expectation == .violation
    }

    /// The name of the target in tables.
    package var shownTarget: String { shortTarget ?? target }

    /// The row as it is stored, without paths of this machine: see `RunResult.withoutLocalPaths`.
    ///
    /// - Parameter folder: the directory of the file that stores the row, as an absolute path that ends with a slash.
    package func withoutLocalPaths(program: String, _ request: RunRequest, in folder: String) -> MatrixRow {
        var row = self
        row.result = result?.withoutLocalPaths(program: program, request)
        row.manifest = request.target.target.manifest.map { MatrixRow.path(of: $0.path.shown, from: folder) }
        return row
    }

    /// The reverse of `withoutLocalPaths`: the stored row with paths of this machine, so that printed commands work here.
    package func resolvingLocalPaths(in folder: String, program: String) -> MatrixRow {
        var row = self
        row.result = result?.resolvingLocalPaths(in: folder, program: program)
        if let manifest, manifest.contains("/") {
            let path = URL(filePath: folder + manifest).standardizedFileURL.path(percentEncoded: false)
            if RunFiles.exists(ByteString(path)) { row.result = row.result?.naming(manifest: path) }
        }
        return row
    }

    /// `../stores/mine.yaml` for `/home/me/stores/mine.yaml` from `/home/me/runs/`. If the two share no directory but
    /// the root, only the file name: a path would reveal the directories of this machine.
    private static func path(of path: String, from folder: String) -> String {
        let (path, folder) = (path.split(separator: "/"), folder.split(separator: "/"))
        let common = zip(path, folder).prefix { $0 == $1 }.count
        guard common > 0, common < path.count else { return "./\(path.last ?? "")" }
        let ups = Array(repeating: "..", count: folder.count - common)
        return (ups.isEmpty ? ["."] : ups).joined(separator: "/") + "/"
            + path[common...].joined(separator: "/")
    }

    /// Whether the result is as expected, with the expected check and loss.
    package var isAsExpected: Bool {
        guard let result, result.verdict == expectation else { return false }
        if let expectedCheck, !result.findings.contains(where: { $0.check == expectedCheck }) { return false }
        guard let expectedLoss else { return true }
        return result.findings.allSatisfy(expectedLoss.isMet)
    }

    /// One verdict for all rows: pass if every cell that can run here is as expected, otherwise the gravest verdict of the
    /// cells that are not. A cell that passes although another verdict was expected counts as a harness error.
    package static func verdict(of rows: [MatrixRow]) -> Verdict {
        // Inconclusive if no cell could run, or if some cell had no time left.
        let isDoubtful = rows.allSatisfy { $0.obstacle != nil } || rows.contains(where: \.isOutOfBudget)
        var worst = isDoubtful ? Verdict.inconclusive : .pass
        for row in rows where row.obstacle == nil && !row.isAsExpected {
            let seen = row.result?.verdict ?? .inconclusive
            let isMissed = row.expectation != .pass && seen == .pass
            let counted = isMissed ? Verdict.harnessError : seen
            if counted.severity > worst.severity { worst = counted }
        }
        return worst
    }
}

extension Verdict {
    fileprivate var severity: Int {
        switch self {
        case .pass: 0
        case .inconclusive: 1
        case .filesystem: 2
        case .violation: 3
        case .harnessError: 4
        }
    }
}
