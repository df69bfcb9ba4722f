import FaultFS
import Schedules

/// The scenarios of the mount's worker pool.
enum PoolTests {
    static let all = [waiting, waitingWithWorkers, backlog, parking, parked, unmounting, stopping, withoutMemory]

    private static func scenario(
        _ name: String, _ summary: String, _ depth: ScheduleDepth, _ scenario: PoolScenario
    ) -> ScheduleTest {
        ScheduleTest(name, summary, depth) { _, _ in scenario }
    }

    /// The client of a pool that serves all requests: it adds them, awaits the answers, and unmounts.
    private static func addsAll(_ numbers: Int...) -> @Sendable (PoolWorld) throws -> Void {
        { world in
            for number in numbers { world.queue.add(number) }
            for number in numbers { world.queue.awaitAnswer(of: number) }
            world.unmount()
        }
    }

    private static func expectAnswers(_ count: Int) -> @Sendable (PoolWorld) throws -> Void {
        { world in
            guard world.queue.answered.count == count else {
                throw ScheduleCheckError("\(world.queue.answered) are answered, of \(count) requests")
            }
        }
    }

    static let waiting = scenario(
        "pool-waiting", "a request waits for one that is queued, and the pool has one worker: it gets another",
        .deviations(2),
        PoolScenario(
            sizing: .minimal, requests: [.until(answerOf: 1), .immediate], client: addsAll(0, 1),
            expect: expectAnswers(2)))

    static let waitingWithWorkers = scenario(
        "pool-idle", "the same, of a pool that keeps an idle worker", .deviations(2),
        PoolScenario(
            sizing: .onePerRequest, requests: [.until(answerOf: 1), .immediate], client: addsAll(0, 1),
            expect: expectAnswers(2)))

    /// The monitor asks for the backlog only in a poll in which all workers are busy. By the time, the scenario knows whether
    /// polls came one after the other. One in between may have ended for no reason, so that three in a row must do.
    static let backlog = scenario(
        "pool-backlog", "requests are queued while the only worker serves one after the other: another worker comes",
        .deviations(1),
        PoolScenario(
            sizing: .minimal, monitor: PoolMonitor(pollsBeforeAdding: 2, pollsBeforeParking: 8),
            requests: [.immediate] + Array(repeating: .untilSeen, count: 5), client: addsAll(0, 1, 2, 3, 4, 5),
            expect: { world in
                let polls = world.queue.questions
                let runs = polls.indices.filter { index in
                    index >= 2 && polls[(index - 2)...index].allSatisfy(\.hasBacklog)
                        && polls[index].nanoseconds - polls[index - 2].nanoseconds <= 2 * pollNanoseconds
                }
                // The monitor and one worker.
                if !runs.isEmpty, world.threads.startedCount == 2 {
                    throw ScheduleCheckError("three polls in a row saw requests queue, and no other worker came")
                }
            }))

    private static let pollNanoseconds: UInt64 = 4_000_000

    /// Request 0 lasts all the time, so that the second worker is the only idle one.
    static let parking = scenario(
        "pool-parking", "one of two workers serves a long request: the other is not parked", .deviations(1),
        PoolScenario(
            sizing: .minimal, monitor: PoolMonitor(pollsBeforeAdding: 8, pollsBeforeParking: 2),
            requests: [.until(answerOf: 5)] + Array(repeating: .milliseconds(5), count: 4) + [.immediate],
            client: { world in
                world.queue.add(0)
                var isParked = false
                for number in 1...4 {
                    world.queue.add(number)
                    world.queue.awaitAnswer(of: number)
                    if world.pool.activeCount < 2 { isParked = true }
                }
                world.queue.add(5)
                world.queue.awaitAnswer(of: 0)
                if isParked { throw ScheduleCheckError("the only idle worker is parked") }
            }, expect: expectAnswers(6)))

    static let parked = scenario(
        "pool-parked", "a worker is parked, woken for a request that waits for another, and parked at the end",
        .deviations(1),
        PoolScenario(
            sizing: .minimal, monitor: PoolMonitor(pollsBeforeAdding: 8, pollsBeforeParking: 2),
            requests: [
                .until(answerOf: 1), .immediate, .milliseconds(5), .milliseconds(5), .until(answerOf: 5),
                .immediate, .milliseconds(5), .milliseconds(5),
            ],
            client: { world in
                for start in [0, 4] {
                    world.queue.add(start, start + 1)
                    for number in [start, start + 1] { world.queue.awaitAnswer(of: number) }
                    for number in [start + 2, start + 3] {
                        world.queue.add(number)
                        world.queue.awaitAnswer(of: number)
                    }
                }
                world.unmount()
            }, expect: expectAnswers(8)))

    static let unmounting = scenario(
        "pool-unmount", "the mount ends under load: what was taken is answered, and every thread ends", .deviations(2),
        PoolScenario(
            sizing: .minimal, requests: [.milliseconds(5), .immediate],
            client: { world in
                world.queue.add(0, 1)
                world.unmount()
            }, expect: expectAnswers(2)))

    static let stopping = scenario(
        "pool-stop", "the pool is stopped under load: what was taken is answered, every thread ends", .deviations(2),
        PoolScenario(
            sizing: .onePerRequest, requests: [.immediate, .immediate],
            client: { world in world.queue.add(0, 1) }))

    static let withoutMemory = scenario(
        "pool-memory", "a worker has no memory to receive a request: it asks again", .deviations(2),
        PoolScenario(
            sizing: .minimal, requests: [.immediate], outOfMemoryCount: 1, client: addsAll(0),
            expect: expectAnswers(1)))
}
