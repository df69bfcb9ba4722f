import Bytes
import Matrices
import Runs
import Targets

/// Results of a matrix as a page of Markdown for the documentation.
package protocol MatrixPage: Sendable {
    /// Its name on the command line.
    static var name: String { get }
    /// - Parameters:
    ///   - rows: the cells with their results, in order.
    ///   - notes: what was said of findings.
    init(_ rows: [PageRow], _ notes: [FindingNote])
    var text: String { get }
    /// What keeps the page from being complete; empty if nothing does.
    var gaps: [String] { get }
}

/// The pages that there are.
package enum MatrixPages {
    package static var all: [any MatrixPage.Type] {
        [TrackRecordPage.self, PublishedPage.self, FsyncFailurePage.self, TargetRatesPage.self, PowerLossPage.self]
    }
}

/// A cell with its target.
package struct PageRow: Sendable {
    package var row: MatrixRow
    package var target: Target
    /// The directory that paths in commands are relative to, with a slash at the end.
    package var folder: String

    package init(_ row: MatrixRow, _ target: Target, folder: String) {
        (self.row, self.target, self.folder) = (row, target, folder)
    }

    /// The settings that differ from the defaults, and the version if it is a setting: `sync=off`.
    var settings: String {
        var words = row.shownTarget.split(separator: " ").dropFirst().map(String.init)
        if let version = row.result?.configuration["version"], !words.contains(where: { $0.hasPrefix("version=") }) {
            words.append("version=\(version)")
        }
        return words.isEmpty ? "default" : words.map { "`\($0)`" }.joined(separator: " ")
    }

    /// The command that repeats it.
    var command: String { (row.result?.command ?? "").replacing(folder, with: "") }

    /// An error of the store in a line, without the directory of this machine.
    func shown(_ error: Finding.ErrorCount) -> String {
        "`" + error.text.replacing(folder, with: "").replacing("`", with: "'").prefixOfLine + "`"
    }

    /// Unexpected and known findings.
    var findings: [Finding] { row.result?.findings ?? [] }

    /// How much of what could have happened was looked at.
    var coverage: String {
        guard let result = row.result else { return "" }
        var words: [String] = []
        if let explored = result.explored {
            let unit = explored.unit?.rawValue ?? "epochs"
            words.append(
                explored.isPartial
                    ? "\(explored.epochs) of \(explored.of) \(unit)" : "all \(explored.of) \(unit)")
        }
        if let boundaries = result.boundaries, boundaries.obstacle == nil {
            words.append("\(boundaries.states) states between operations")
        }
        if !result.cuts.isEmpty { words.append("\(result.cuts.count { $0.landed }) live") }
        return words.joined(separator: ", ")
    }

    /// The result in a word or two.
    var outcome: String {
        if row.isOutOfBudget { return "not run" }
        if let obstacle = row.obstacle { return "not run: \(obstacle)" }
        guard let result = row.result else { return "not run" }
        let known = findings.count { $0.known != nil }
        switch result.verdict {
        case .pass:
            if let explored = result.explored, explored.unit == .trials, explored.epochs == 0 {
                return "nothing: no trial ended in the time"
            }
            return known > 0 ? "held, apart from \(known.counted("known finding"))" : "held"
        case .violation: return (findings.count - known).counted("finding")
        case .inconclusive, .harnessError, .filesystem:
            return "\(result.verdict.rawValue): \(result.reason ?? "")".prefixOfLine
        }
    }
}

extension String {
    /// The text in a cell of a table.
    var tableCell: String { replacing("|", with: "\\|").replacing("\n", with: " ") }

    /// The first line, shortened.
    var prefixOfLine: String {
        let line = split(separator: "\n").first.map(String.init) ?? ""
        return line.count > 160 ? line.prefix(159) + "…" : line
    }
}
