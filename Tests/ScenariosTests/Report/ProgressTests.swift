import Exploration
import Foundation
import Oracle
import Report
import Runs
import Synchronization
import Testing

struct ProgressTests {
    private final class Screen: Sendable {
        let written = Mutex<[String]>([])
        let time = Mutex(ContinuousClock.now)
    }

    private let screen = Screen()

    private func progress(_ terminal: Terminal) -> Report.Progress {
        let screen = screen
        return Report.Progress(
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

    private static func step(_ epochs: Int, states: Int, findings: Int = 0) -> RunProgress {
        let violation = Violation(check: .durable, key: "k1", line: 7)
        return RunProgress(
            "xfs",
            ExplorationStep(
                epochs: epochs, of: 40, states: states, found: Array(repeating: violation, count: findings)))
    }

    @Test func `an exploration shows its epochs, its rate and the time left, and a finding stays`() {
        let progress = progress(Terminal(isTerminal: true, usesColour: false, columns: 200))
        progress.show(Self.step(0, states: 0))
        wait(.seconds(2))
        progress.show(Self.step(10, states: 600))
        wait(.milliseconds(1))
        progress.show(Self.step(10, states: 601, findings: 1))
        let written = screen.written.withLock { $0 }
        #expect(written[0] == "\r\u{1B}[2Kxfs, 0 of 40 epochs, 0 states")
        #expect(written[1] == "\r\u{1B}[2Kxfs, 10 of 40 epochs, 600 states, 300 a second, 6 s left")
        #expect(written[2].hasPrefix("\r\u{1B}[2Kfound  durable: key k1 is gone"))
        #expect(written[2].hasSuffix("(oracle line 7)\n"))
        #expect(written[3].contains("601 states") && written[3].contains("1 finding,"))
    }

    @Test func `programs get an object a line, a second apart or at a finding, from a pipe too`() throws {
        let screen = screen
        let progress = Report.Progress(
            .json, terminal: .plain, write: { text in screen.written.withLock { $0.append(text) } },
            now: { screen.time.withLock { $0 } })
        progress.show("recording \u{1B}[31m")
        wait(.milliseconds(999))
        progress.show(Self.step(0, states: 0))
        progress.show(Self.step(0, states: 1, findings: 1))
        wait(.seconds(2))
        progress.show(Self.step(20, states: 100, findings: 1))
        wait(.milliseconds(1))
        progress.show(Self.step(40, states: 200, findings: 1))
        progress.clear()
        let lines = try screen.written.withLock { $0 }.map { line in
            #expect(line.hasSuffix("}\n") && !line.contains("\u{1B}"))
            return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        try #require(lines.count == 4)
        #expect(lines[0]["doing"] as? String == "recording \u{1B}[31m" && lines[0]["epochs"] == nil)
        #expect(lines[1]["findings"] as? Int == 1)
        #expect(lines[2]["epochs"] as? Int == 20 && lines[2]["of"] as? Int == 40)
        #expect(lines[2]["statesPerSecond"] as? Int == 50 && lines[2]["secondsLeft"] as? Int == 2)
        #expect(lines[3]["epochs"] as? Int == 40, "the last is never dropped")
    }

    @Test func `a file hears nothing`() {
        let progress = progress(.plain)
        progress.show("checking")
        progress.clear()
        #expect(screen.written.withLock { $0 } == [])
    }
}
