import Bytes
import Exploration
import Machine
import Oracle
import Platform
import Runs

/// What is being done, on standard error: on a terminal a line that changes in place, with findings above it as they come;
/// for programs a JSON object on each line. Elsewhere nothing.
///
/// Safe from several threads. Standard output has to be written between `clear` and the next `show`, or the two mix.
package final class Progress: Sendable {
    package enum Form: String, CaseIterable, Sendable {
        /// A line that changes, on a terminal; nothing elsewhere.
        case line
        /// A JSON object a line, wherever it goes.
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
        /// What is told already of what was found.
        var told: Set<Violation> = []
        /// For programs: what came too soon, which is written at the end.
        var pending: String?
    }

    /// More often than this a line does not change: people cannot read it and terminals are slow.
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

    /// Shows what is being done, which may be foreign text, in place of what was shown. What comes too soon after the last
    /// is dropped, unless it tells of a finding.
    package func show(_ progress: @autoclosure () -> RunProgress) {
        guard !isSilent else { return }
        state.withLock { state in
            let time = now()
            let progress = progress()
            let news = (progress.step?.found ?? []).filter { !state.told.contains($0) }
            let estimate = state.rate.estimate(progress, at: time)
            let interval = form == .json ? Self.minimumJSONInterval : Self.minimumInterval
            if news.isEmpty, let last = state.lastShown, time - last < interval {
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
            state.isShown = true
            let line = ProgressRate.line(progress, estimate)
            write("\r\u{1B}[2K" + line.printable.prefix(max(1, (terminal.columns ?? 80) - 1)))
        }
    }

    /// Takes the line away; programs get what is left to say.
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
    }

    private func json(
        _ progress: RunProgress, _ estimate: ProgressRate.Estimate, _ time: ContinuousClock.Instant
    ) -> String {
        let seconds = began.duration(to: time) / .seconds(1)
        let step = progress.step
        let line = Line(
            seconds: (seconds * 10).rounded() / 10, doing: progress.words, epochs: step?.epochs, of: step?.of,
            states: step?.states, findings: step?.found.count, statesPerSecond: estimate.statesPerSecond,
            secondsLeft: estimate.secondsLeft)
        return (try? JSONText.of(line, .line)) ?? ""
    }

    /// Writes to standard error; what cannot be written is nothing that anybody could read.
    package static let toStandardError: @Sendable (String) -> Void = { StandardError.write($0) }
}
