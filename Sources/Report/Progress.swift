import Bytes
import Exploration
import Machine
import Oracle
import Platform
import Runs

/// Progress on standard error: on a terminal, a status line with new findings above it; for programs, a JSON object a
/// line; elsewhere nothing.
///
/// Thread safe. Write to standard output only between `clear` and the next `show`; otherwise the two mix.
package final class Progress: Sendable {
    package enum Form: String, CaseIterable, Sendable {
        /// A status line on a terminal; nothing elsewhere.
        case line
        /// A JSON object a line, on any output.
        case json
        case none
    }

    private let form: Form
    private let terminal: Terminal
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let began: ContinuousClock.Instant
    private let state = Guarded(State())

    private struct State {
        var isShown = false
        var lastShown: ContinuousClock.Instant?
        var rate = ProgressRate()
        /// The violations already shown.
        var told: Set<Violation> = []
        /// The last JSON line dropped for coming too soon; written at the end.
        var pending: String?
    }

    /// The minimum interval between changes of the line: people cannot read faster, and terminals are slow.
    package static let minimumInterval = Duration.milliseconds(100)
    /// For programs.
    package static let minimumJSONInterval = Duration.seconds(1)

    package init(
        _ form: Form = .line, terminal: Terminal = .error,
        write: @escaping @Sendable (String) -> Void = Progress.toStandardError,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.form = form
        self.terminal = terminal
        self.write = write
        self.now = now
        began = now()
    }

    private var isSilent: Bool { form == .none || form == .line && !terminal.isTerminal }

    /// Shows the progress, which may be untrusted text, in place of the last one. Drops it if it comes too soon, unless
    /// it has a new finding.
    package func show(_ progress: @autoclosure () -> RunProgress) {
        guard !isSilent else {
            // A line that stays also goes to a file, such as the log of a job.
            if form == .line, let line = progress().line { write(line.printable + "\n") }
            return
        }
        state.withLock { state in
            let time = now()
            let progress = progress()
            let news = (progress.step?.found ?? []).filter { !state.told.contains($0) }
            let estimate = state.rate.estimate(progress, at: time)
            let interval = form == .json ? Self.minimumJSONInterval : Self.minimumInterval
            if news.isEmpty, progress.line == nil, let last = state.lastShown, time - last < interval {
                if form == .json { state.pending = json(progress, estimate, time) }
                return
            }
            state.lastShown = time
            state.told.formUnion(news)
            state.pending = nil
            if form == .json { return write(json(progress, estimate, time)) }
            for violation in news {
                write("\r\u{1B}[2K" + "found  \(violation.check.rawValue): \(violation.headline)".printable + "\n")
            }
            if let line = progress.line { write("\r\u{1B}[2K" + line.printable + "\n") }
            state.isShown = true
            let line = ProgressRate.line(progress, estimate)
            write("\r\u{1B}[2K" + line.printable.prefix(max(1, (terminal.columns ?? 80) - 1)))
        }
    }

    /// Removes the line; writes a pending JSON line.
    package func clear() {
        guard !isSilent else { return }
        state.withLock { state in
            if let pending = state.pending { write(pending) }
            if state.isShown { write("\r\u{1B}[2K") }
            state = State()
        }
    }

    /// A line for programs.
    private struct Line: Encodable {
        var seconds: Double
        var doing: String
        var epochs: Int?
        var of: Int?
        var states: Int?
        var findings: Int?
        var statesPerSecond: Int?
        var secondsLeft: Int?
        var line: String?
    }

    private func json(
        _ progress: RunProgress, _ estimate: ProgressRate.Estimate, _ time: ContinuousClock.Instant
    ) -> String {
        let seconds = began.duration(to: time) / .seconds(1)
        let step = progress.step
        let line = Line(
            seconds: (seconds * 10).rounded() / 10, doing: progress.words, epochs: step?.epochs, of: step?.of,
            states: step?.states, findings: step?.found.count, statesPerSecond: estimate.statesPerSecond,
            secondsLeft: estimate.secondsLeft, line: progress.line)
        return (try? JSONText.of(line, .line)) ?? ""
    }

    /// Writes to standard error. Ignores errors.
    package static let toStandardError: @Sendable (String) -> Void = { StandardError.write($0) }
}
