import Bytes
import Machine
import Platform
import Scenarios

/// A line on standard error that says what is being done and changes in place. Without a terminal it says nothing.
///
/// Safe from several threads. Standard output has to be written between `clear` and the next `show`, or the two mix.
package final class Progress: Sendable {
    private let terminal: Terminal
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Guarded(State())

    private struct State {
        var isShown = false
        var lastShown: ContinuousClock.Instant?
    }

    /// More often than this a line does not change: people cannot read it and terminals are slow.
    package static let minimumInterval = Duration.milliseconds(100)

    package init(
        terminal: Terminal = .error, write: @escaping @Sendable (String) -> Void = Progress.toStandardError,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.terminal = terminal
        self.write = write
        self.now = now
    }

    /// Shows `text`, which may be foreign, in place of what was shown, cut to the terminal's width. Text that comes too soon after the last is
    /// dropped.
    package func show(_ text: @autoclosure () -> String) {
        guard terminal.isTerminal else { return }
        state.withLock { state in
            let time = now()
            if let last = state.lastShown, time - last < Self.minimumInterval { return }
            state.lastShown = time
            state.isShown = true
            write("\r\u{1B}[2K" + text().printable.prefix(max(1, (terminal.columns ?? 80) - 1)))
        }
    }

    /// Takes the line away.
    package func clear() {
        guard terminal.isTerminal else { return }
        state.withLock { state in
            if state.isShown { write("\r\u{1B}[2K") }
            state = State()
        }
    }

    /// Writes to standard error; what cannot be written is nothing that anybody could read.
    package static let toStandardError: @Sendable (String) -> Void = { StandardError.write($0) }
}
