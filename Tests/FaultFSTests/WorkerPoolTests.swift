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

    func pool(_ sizing: WorkerPool.Sizing, limit: Int = 4) -> WorkerPool {
        WorkerPool(
            sizing, limit: limit, hasBacklog: { [self] in hasBacklog.load(ordering: .relaxed) },
            onEnd: { [self] in hasEnded.store(true, ordering: .relaxed) },
            body: { [self] pool in
                while pool.run(), let request = next() {
                    pool.requestStarted()
                    request()
                    pool.requestFinished()
                }
            })
    }
}

/// Whether the condition becomes true within ten seconds.
private func bebecomesTrue(_ condition: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
        if condition() { return true }
        usleep(1000)
    }
    return false
}

struct WorkerPoolTests {
    @Test(arguments: [WorkerPool.Sizing.minimal, .onePerRequest])
    func `a request may wait for another`(_ sizing: WorkerPool.Sizing) throws {
        let requests = Requests()
        let pool = requests.pool(sizing)
        try pool.start()
        let isServed = Atomic<Bool>(false)
        let waited = Atomic<Bool>(false)
        requests.add { waited.store(bebecomesTrue { isServed.load(ordering: .relaxed) }, ordering: .relaxed) }
        requests.add { isServed.store(true, ordering: .relaxed) }
        #expect(bebecomesTrue { waited.load(ordering: .relaxed) })
        requests.close()
        #expect(bebecomesTrue { !pool.isServing })
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
        #expect(bebecomesTrue { served.load(ordering: .relaxed) == 200 })
        #expect(pool.activeCount == 1)
        requests.close()
        #expect(bebecomesTrue { !pool.isServing })
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
            bebecomesTrue {
                feed()
                most = max(most, pool.activeCount)
                return most == 3
            })
        requests.hasBacklog.store(false, ordering: .relaxed)
        #expect(
            bebecomesTrue {
                requests.add {}
                return pool.activeCount == 1
            })
        requests.close()
        #expect(bebecomesTrue { !pool.isServing })
        pool.join()
    }

    /// An unused mount costs nothing; the next request starts the polling again.
    @Test func `the monitor does not poll without requests`() throws {
        let requests = Requests()
        let pool = requests.pool(.minimal)
        try pool.start()
        #expect(bebecomesTrue { !pool.isPolling })
        let isServed = Atomic<Bool>(false)
        requests.add { _ = bebecomesTrue { isServed.load(ordering: .relaxed) } }
        #expect(bebecomesTrue { pool.isPolling })
        requests.add { isServed.store(true, ordering: .relaxed) }
        #expect(bebecomesTrue { isServed.load(ordering: .relaxed) && !pool.isPolling })
        requests.close()
        #expect(bebecomesTrue { !pool.isServing })
        pool.join()
    }
}
