import Foundation
import Machine
import Synchronization
import Testing

struct InterruptionTests {
    /// What happened, in order, and a way to wait for it.
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        private let exited = DispatchSemaphore(value: 0)

        func add(_ line: String) {
            lines.withLock { $0.append(line) }
            if line.hasPrefix("exit") { exited.signal() }
        }
        var all: [String] { lines.withLock { $0 } }
        func waitForExit() -> Bool { exited.wait(timeout: .now() + 10) == .success }
    }

    private let log = Log()

    private func interruption() -> Interruption {
        let log = log
        return Interruption(say: { _ in log.add("said") }, exit: { log.add("exit \($0)") })
    }

    @Test(arguments: [(SIGINT, "exit 130"), (SIGTERM, "exit 143")])
    func `cleaners run in reverse order, then the process exits as the signal says`(signal: Int32, exit: String) {
        let interruption = interruption()
        let log = log
        _ = interruption.register { log.add("first") }
        let cancelled = interruption.register { log.add("cancelled") }
        _ = interruption.register { log.add("last") }
        cancelled.cancel()
        #expect(!interruption.isInterrupted)
        interruption.receive(signal)
        #expect(interruption.isInterrupted)
        #expect(log.waitForExit())
        #expect(log.all == ["said", "last", "first", exit])
    }

    @Test func `a second signal exits although a cleaner hangs`() {
        let interruption = interruption()
        let log = log
        let isHanging = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        _ = interruption.register {
            isHanging.signal()
            release.wait()
            log.add("released")
        }
        interruption.receive(SIGINT)
        #expect(isHanging.wait(timeout: .now() + 10) == .success)
        #expect(log.all == ["said"])
        interruption.receive(SIGTERM)
        #expect(log.waitForExit())
        #expect(log.all == ["said", "exit 143"])
        release.signal()
        #expect(log.waitForExit())
    }

    @Test func `what is registered while cleaners run is cleaned too`() {
        let interruption = interruption()
        let log = log
        _ = interruption.register {
            _ = interruption.register { log.add("late") }
            log.add("early")
        }
        interruption.receive(SIGINT)
        #expect(log.waitForExit())
        #expect(log.all == ["said", "early", "late", "exit 130"])
    }
}
