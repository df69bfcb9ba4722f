import Glibc
import Platform
import Synchronization
import Testing

@testable import FaultFS

/// A queue of closures in place of the kernel's requests.
private final class Requests: @unchecked Sendable {
    private let lock = Lock()
    private let arrival = Condition()
    private var waiting: [@Sendable () -> Void] = []
    private var isClosed = false
    /// The pool's answer to whether requests are queued.
    let hasBacklog = Atomic<Bool>(false)
    let hasEnded = Atomic<Bool>(false)

    func add(_ request: @escaping @Sendable () -> Void) {
        lock.withLock {
            waiting.append(request)
            arrival.wakeOne()
        }
    }

    func close() {
        lock.withLock {
            isClosed = true
            arrival.wakeAll()
        }
    }

    private func next() -> (@Sendable () -> Void)? {
        lock.withLock {
            while waiting.isEmpty, !isClosed { arrival.wait(lock) }
            return waiting.isEmpty ? nil : waiting.removeFirst()
        }
    }

    func pool(
        _ sizing: PoolSizing, limit: Int = 4, threads: some WorkerThreads = SystemThreads()
    ) -> WorkerPool<SystemCoordination> {
        WorkerPool(
            sizing, limit: limit, threads: threads, hasBacklog: { [self] in hasBacklog.load(ordering: .relaxed) },
            onEnd: { [self] in hasEnded.store(true, ordering: .relaxed) },
            body: { [self] pool in
                var request: (@Sendable () -> Void)?
                pool.serve {
                    request = next()
                    return request == nil ? .end : .request
                } processing: {
                    request?()
                }
            })
    }
}

/// Whether the condition becomes true within ten seconds.
private func becomesTrue(_ condition: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
        if condition() { return true }
        usleep(1000)
    }
    return false
}

/// Threads of the system, up to a limit.
private final class FewThreads: WorkerThreads {
    private let left: Guarded<Int>
    /// The threads that have not ended.
    let runningCount = Guarded(0)

    init(_ limit: Int) { left = Guarded(limit) }

    func start(_ body: @escaping @Sendable () -> Void) throws(Errno) -> any WorkerThread {
        try left.withLock { left throws(Errno) in
            guard left > 0 else { throw Errno(EAGAIN) }
            left -= 1
        }
        runningCount.withLock { $0 += 1 }
        return try Thread { [runningCount] in
            body()
            runningCount.withLock { $0 -= 1 }
        }
    }
}

struct WorkerPoolTests {
    /// `minimal` starts a monitor and a worker.
    @Test(arguments: [0, 1]) func `a pool that cannot start leaves no thread`(limit: Int) {
        let threads = FewThreads(limit)
        let requests = Requests()
        let pool = requests.pool(.minimal, threads: threads)
        #expect(throws: Errno(EAGAIN)) { try pool.start() }
        let running = threads.runningCount.withLock { $0 }
        #expect(running == 0)
        #expect(!pool.isServing)
    }

    @Test(
        arguments: [
            (1, Reception.request), (80, .request), (0, .end), (-EINTR, .nothing), (-EAGAIN, .nothing),
            (-ENOMEM, .outOfMemory), (-ENODEV, .end), (-EIO, .end),
        ] as [(Int32, Reception)])
    func `a read of the connection is a request, a reason to ask again, or the end`(result: Int32, reception: Reception)
    {
        #expect(Reception(result: result) == reception)
    }

    @Test(arguments: [PoolSizing.minimal, .onePerRequest])
    func `a request may wait for another`(_ sizing: PoolSizing) throws {
        let requests = Requests()
        let pool = requests.pool(sizing)
        try pool.start()
        let isServed = Atomic<Bool>(false)
        let waited = Atomic<Bool>(false)
        requests.add { waited.store(becomesTrue { isServed.load(ordering: .relaxed) }, ordering: .relaxed) }
        requests.add { isServed.store(true, ordering: .relaxed) }
        #expect(becomesTrue { waited.load(ordering: .relaxed) })
        requests.close()
        #expect(becomesTrue { !pool.isServing })
        pool.join()
        let hasEnded = requests.hasEnded.load(ordering: .relaxed)
        #expect(hasEnded)
    }

    @Test func `one worker serves when no request waits`() throws {
        let requests = Requests()
        let pool = requests.pool(.minimal)
        try pool.start()
        let served = Atomic<Int>(0)
        for _ in 0..<200 {
            requests.add { served.add(1, ordering: .relaxed) }
            usleep(200)
        }
        #expect(becomesTrue { served.load(ordering: .relaxed) == 200 })
        #expect(pool.activeCount == 1)
        requests.close()
        #expect(becomesTrue { !pool.isServing })
        pool.join()
    }

    /// Under load the pool adds workers up to the limit; without load it parks them. All end with the pool.
    @Test func `workers are added under load and parked without`() throws {
        let requests = Requests()
        let pool = requests.pool(.minimal, limit: 3)
        try pool.start()
        requests.hasBacklog.store(true, ordering: .relaxed)
        func feed() {
            for _ in 0..<8 { requests.add { usleep(300) } }
            usleep(500)
        }
        var most = 0
        #expect(
            becomesTrue {
                feed()
                most = max(most, pool.activeCount)
                return most == 3
            })
        requests.hasBacklog.store(false, ordering: .relaxed)
        #expect(
            becomesTrue {
                requests.add {}
                return pool.activeCount == 1
            })
        requests.close()
        #expect(becomesTrue { !pool.isServing })
        pool.join()
    }

    /// An unused mount costs nothing; the next request starts the polling again.
    @Test func `the monitor does not poll without requests`() throws {
        let requests = Requests()
        let pool = requests.pool(.minimal)
        try pool.start()
        #expect(becomesTrue { !pool.isPolling })
        let isServed = Atomic<Bool>(false)
        requests.add { _ = becomesTrue { isServed.load(ordering: .relaxed) } }
        #expect(becomesTrue { pool.isPolling })
        requests.add { isServed.store(true, ordering: .relaxed) }
        #expect(becomesTrue { isServed.load(ordering: .relaxed) && !pool.isPolling })
        requests.close()
        #expect(becomesTrue { !pool.isServing })
        pool.join()
    }
}
