import Report
import Synchronization
import Testing

struct ProgressTests {
    private final class Screen: Sendable {
        let written = Mutex<[String]>([])
        let time = Mutex(ContinuousClock.now)
    }

    private let screen = Screen()

    private func progress(_ terminal: Terminal) -> Progress {
        let screen = screen
        return Progress(
            terminal: terminal, write: { text in screen.written.withLock { $0.append(text) } },
            now: { screen.time.withLock { $0 } })
    }

    private func wait(_ duration: Duration) { screen.time.withLock { $0 += duration } }

    @Test func `a terminal shows the line, cut to its width, and takes it away`() {
        let progress = progress(Terminal(isTerminal: true, usesColour: false, columns: 6))
        progress.show("checking")
        progress.clear()
        progress.clear()
        #expect(screen.written.withLock { $0 } == ["\r\u{1B}[2Kcheck", "\r\u{1B}[2K"])
    }

    @Test func `what comes too soon is dropped`() {
        let progress = progress(Terminal(isTerminal: true, usesColour: false, columns: 80))
        progress.show("1")
        wait(.milliseconds(99))
        progress.show("2")
        wait(.milliseconds(1))
        progress.show("3")
        #expect(screen.written.withLock { $0 } == ["\r\u{1B}[2K1", "\r\u{1B}[2K3"])
    }

    @Test func `a file hears nothing`() {
        let progress = progress(.plain)
        progress.show("checking")
        progress.clear()
        #expect(screen.written.withLock { $0 } == [])
    }
}
