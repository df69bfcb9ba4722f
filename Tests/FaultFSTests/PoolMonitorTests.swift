import Testing

@testable import FaultFS

/// What the monitor of a mount's worker pool decides, poll by poll: no thread and no clock takes part.
struct PoolMonitorTests {
    private typealias Decision = PoolMonitor.Decision

    /// One poll: requests that are being served, workers, requests that were answered since the last poll, and whether requests
    /// are queued.
    private struct Poll {
        var busy = 1
        var active = 1
        var progress = 1
        var isQueued = true
    }

    private func decisions(_ polls: [Poll]) -> [PoolMonitor.Decision] {
        var (monitor, finished) = (PoolMonitor(), 0)
        return polls.map { poll in
            finished += poll.progress
            return monitor.decide(busy: poll.busy, active: poll.active, finished: finished) { poll.isQueued }
        }
    }

    @Test func `queued requests call another thread at the fourth poll, and again four later`() {
        let found = decisions(Array(repeating: Poll(), count: 9))
        #expect(
            found == [.nothing, .nothing, .nothing, .addWorker, .nothing, .nothing, .nothing, .addWorker, .nothing])
    }

    @Test(arguments: [
        PoolMonitorTests.pause(isQueued: false), PoolMonitorTests.pause(busy: 0), PoolMonitorTests.pause(active: 2),
    ])
    func `a poll without a backlog begins the count anew`(_ pause: [Int]) {
        let between = Poll(busy: pause[0], active: pause[1], progress: 1, isQueued: pause[2] == 1)
        let three = Array(repeating: Poll(), count: 3)
        #expect(!decisions(three + [between] + three).contains(.addWorker))
    }

    private static func pause(busy: Int = 1, active: Int = 1, isQueued: Bool = true) -> [Int] {
        [busy, active, isQueued ? 1 : 0]
    }

    @Test func `workers that are all at the same requests since the last poll call another thread`() {
        #expect(decisions([Poll(), Poll(progress: 0, isQueued: false)]) == [.nothing, .addWorker])
        #expect(decisions([Poll(), Poll(active: 2, progress: 0)]) == [.nothing, .nothing])
    }

    @Test func `a worker is parked after 64 polls without a backlog`() {
        let idle = Array(repeating: Poll(isQueued: false), count: 64)
        #expect(decisions(idle).last == .parkWorker)
        #expect(!decisions(Array(idle.dropLast())).contains(.parkWorker))
        // A backlog in between begins the count anew.
        #expect(!decisions(Array(idle.dropLast()) + [Poll()] + Array(idle.dropLast())).contains(.parkWorker))
    }

    @Test func `without a request the monitor sleeps`() {
        #expect(decisions([Poll(busy: 0), Poll(busy: 0, progress: 0)]) == [.nothing, .sleep])
    }

    @Test func `the queue is asked only if all workers are busy`() {
        var (monitor, asked) = (PoolMonitor(), false)
        _ = monitor.decide(busy: 1, active: 2, finished: 1) {
            asked = true
            return true
        }
        #expect(!asked)
    }
}
