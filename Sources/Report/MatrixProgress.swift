import Machine
import Matrices
import Oracle
import Runs
import Scenarios
import Synchronization

/// Progress of a matrix on standard error. On a terminal, a status line: cells done, rate, time left. Elsewhere, a line
/// for each finished cell, as text or JSON.
package final class MatrixProgress: Sendable {
    private let progress: Progress
    private let form: Progress.Form
    private let terminal: Terminal
    private let write: @Sendable (String) -> Void
    private let began = ContinuousClock.now
    private let total: Int
    private let before: Int
    private let finished = Atomic<Int>(0)

    package init(
        total: Int, done: Int, _ form: Progress.Form = .line, terminal: Terminal = .error,
        write: @escaping @Sendable (String) -> Void = Progress.toStandardError
    ) {
        self.total = total
        before = done
        self.form = form
        self.terminal = terminal
        self.write = write
        progress = Progress(form, terminal: terminal, write: write)
    }

    /// A finished cell, for programs.
    private struct Line: Encodable {
        var done: Int
        var of: Int
        var cell: String
        var verdict: Verdict?
        var expected: Bool
        var seconds: Double?
    }

    /// Records that `row` is finished.
    package func finish(_ row: MatrixRow) {
        let done = before + finished.add(1, ordering: .relaxed).newValue
        if form == .json {
            let line = Line(
                done: done, of: total, cell: row.name, verdict: row.result?.verdict, expected: row.isAsExpected,
                seconds: row.result.map { ($0.seconds * 10).rounded() / 10 })
            return write((try? JSONText.of(line, .line)) ?? "")
        }
        guard form == .line, !terminal.isTerminal else { return }
        write([ReportLine("\(done) of \(total)  \(Self.line(row))")].text)
    }

    /// `violation (expected)  sqlite journal_mode=delete, explore, …  9.2 s: known: the unlink is not durable`
    private static func line(_ row: MatrixRow) -> String {
        let verdict = row.result.map { RunReport.cell(of: $0).text } ?? "not run"
        let mark = row.isAsExpected ? (row.expectation == .pass ? "" : " (expected)") : " (UNEXPECTED)"
        let seconds = row.result.map { "  \(($0.seconds * 10).rounded() / 10) s" } ?? ""
        let why = row.isAsExpected ? row.reason : row.result?.reason
        return "\(verdict)\(mark)  \(row.name)\(seconds)" + (why.map { ": \($0)" } ?? "")
    }

    /// Shows the progress of a cell. Concurrent cells take turns on the line, so no rate is shown.
    package func show(_ what: @autoclosure () -> RunProgress) {
        progress.show(RunProgress("\(head), \(ProgressRate.line(what(), .init()))"))
    }

    package func clear() { progress.clear() }

    /// `7 of 20, 12.0 a minute, 1 min left`
    var head: String {
        let done = finished.load(ordering: .relaxed)
        var text = "\(before + done) of \(total)"
        guard done > 0 else { return text }
        let seconds = max(0.001, Double(began.duration(to: .now) / .seconds(1)))
        let rate = Double(done) / seconds
        let left = Double(total - before - done) / rate
        text += ", \((rate * 600).rounded() / 10) a minute"
        return "\(text), \(ProgressRate.timeLeft(Int(left.rounded(.up))))"
    }
}
