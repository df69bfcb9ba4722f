import FaultFS
import Schedules

/// A client and the threads of a worker pool.
struct PoolScenario: CheckedScenario {
    var sizing: PoolSizing
    var monitor = PoolMonitor()
    /// By number.
    var requests: [RequestQueue.Request]
    var outOfMemoryCount = 0
    var client: @Sendable (PoolWorld) throws -> Void
    /// What must hold in the end, beside what holds for every scenario.
    var expect: @Sendable (PoolWorld) throws -> Void = { _ in }
    var crashCounts: CrashCounts? { nil }

    static let workerCount = 2

    var threads: [String] {
        ["client"] + (sizing == .minimal ? ["monitor"] : []) + (1...Self.workerCount).map { "worker \($0)" }
    }

    func makeWorld() throws -> PoolWorld {
        let world = PoolWorld(self)
        try world.pool.start()
        return world
    }

    func run(_ thread: Int, in world: PoolWorld) throws {
        guard thread == 0 else { return world.threads.play(thread - 1) }
        // Whatever the client finds, the other threads must end.
        let result = Result { try client(world) }
        world.pool.stop()
        world.pool.join()
        world.threads.close()
        try result.get()
    }

    func check(_ world: PoolWorld) throws {
        let (taken, answered) = (world.queue.taken, world.queue.answered)
        guard taken.sorted() == answered.sorted() else {
            throw ScheduleCheckError("requests \(taken) were taken, and \(answered) answered")
        }
        guard world.threads.haveEnded else { throw ScheduleCheckError("a thread is left") }
        guard world.endCount == 1 else { throw ScheduleCheckError("the end was reported \(world.endCount) times") }
        guard !world.pool.requests.areInProgress, world.pool.requests.finished == answered.count else {
            throw ScheduleCheckError("the pool has counted \(world.pool.requests) of \(answered.count) requests")
        }
        try expect(world)
    }

    func describe(word index: Int, of words: String, value: UInt64?) -> String? {
        PoolWordText.describe(index, of: words, value: value)
    }
}

/// A worker pool, its requests and its threads.
final class PoolWorld: @unchecked Sendable {
    let queue: RequestQueue
    let threads: PlayedThreads
    let pool: WorkerPool<ScheduledCoordination>
    /// How often the pool has reported its end.
    var endCount: Int { queue.endCount }

    /// Unmounts, and waits until the workers have ended.
    func unmount() {
        queue.close()
        queue.awaitEnd()
    }

    init(_ scenario: PoolScenario) {
        let queue = RequestQueue(scenario.requests, outOfMemoryCount: scenario.outOfMemoryCount)
        let threads = PlayedThreads(limit: scenario.threads.count - 1) { queue.interrupt() }
        self.queue = queue
        self.threads = threads
        pool = WorkerPool(
            scenario.sizing, limit: PoolScenario.workerCount, monitor: scenario.monitor, threads: threads,
            hasBacklog: { queue.hasBacklog() }, onEnd: { queue.end() },
            body: { pool in
                var number = -1
                pool.serve {
                    queue.receive(&number)
                } processing: {
                    queue.process(number)
                }
            })
    }
}
