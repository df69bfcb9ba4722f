import Matrices
import Oracle
import Scenarios
import Synchronization

/// What a matrix says on standard error while it runs. On a terminal a line that changes in place: how many cells are
/// done, how fast, and how long the rest will take. Elsewhere a line for each cell that has finished.
package final class MatrixProgress: Sendable {
    private let progress: Progress
    private let terminal: Terminal
    private let write: @Sendable (String) -> Void
    private let began = ContinuousClock.now
    private let total: Int
    private let before: Int
    private let finished = Atomic<Int>(0)

    package init(
        total: Int, done: Int, terminal: Terminal = .error,
        write: @escaping @Sendable (String) -> Void = Progress.toStandardError
    ) {
        self.total = total
        before = done
        self.terminal = terminal
        self.write = write
        progress = Progress(terminal: terminal, write: write)
    }

    /// Notes that `row` has its result.
    package func finish(_ row: MatrixRow) {
        let done = before + finished.add(1, ordering: .relaxed).newValue
        guard !terminal.isTerminal else { return }
        write([ReportLine("\(done) of \(total)  \(Self.line(row))")].text)
    }

    /// `violation (expected)  sqlite journal_mode=delete, explore, …  9.2 s: known: the unlink is not durable`
    private static func line(_ row: MatrixRow) -> String {
        let verdict = row.result.map { RunReport.cell(of: $0).text } ?? "not run"
        let mark = row.isMet ? (row.expectation == .pass ? "" : " (expected)") : " (UNEXPECTED)"
        let seconds = row.result.map { "  \(($0.seconds * 10).rounded() / 10) s" } ?? ""
        let why = row.isMet ? row.reason : row.result?.reason
        return "\(verdict)\(mark)  \(row.name)\(seconds)" + (why.map { ": \($0)" } ?? "")
    }

    package func show(_ what: @autoclosure () -> String) { progress.show("\(head), \(what())") }

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
        return text + (left < 90 ? ", \(Int(left.rounded(.up))) s left" : ", \(Int((left / 60).rounded(.up))) min left")
    }
}
