import Glibc
import Platform
import Synchronization

/// The worker threads of a mount. It decides how many run, and when one is added or parked.
///
/// `onePerRequest`, for a backing filesystem on a disk: up to the limit there is always one idle worker more than there
/// are requests, so that no request waits for another request's sync.
///
/// `minimal`, for a backing filesystem in memory: no request waits for a disk, and handing requests from thread to
/// thread costs about 5 % of a write with its sync, since each thread finds the processor's caches full of the other's
/// data. So one worker runs, and more only under load. While there are requests, a monitor thread polls every few
/// milliseconds. It adds a worker when requests are queued in several polls in a row, and also when all workers have
/// been at the same requests since the last poll: a request that waits for another request cannot hang the mount.
///
/// Threading: `requestStarted`, `requestFinished` and `run` are for the workers, the others for any thread.
final class WorkerPool: @unchecked Sendable {
    enum Sizing: Sendable {
        /// One idle worker besides those that serve a request.
        case onePerRequest
        /// As few workers as keep up with the load.
        case minimal
    }

    private let sizing: Sizing
    private let limit: Int
    /// Whether requests are queued that no worker has taken.
    private let hasBacklog: @Sendable () -> Bool
    /// Called by the last worker when it ends.
    private let onEnd: @Sendable () -> Void
    /// The loop of each worker: it takes requests while `run` says so.
    private let body: @Sendable (WorkerPool) -> Void

    private let lock = Lock()
    private let wakeUp = Condition()
    private let activity = Condition()
    private var threads: [Thread] = []
    /// How many workers are parked, and how many of those were woken and have not run yet.
    private var parked = 0
    private var woken = 0

    private let running = Atomic<Int>(0)
    /// Workers that are not parked.
    private let active = Atomic<Int>(0)
    private let started = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)
    /// How many active workers should park.
    private let surplus = Atomic<Int>(0)
    /// Whether the monitor polls; otherwise it waits until `requestStarted` wakes it.
    private let polls = Atomic<Bool>(true)
    private let isStopping = Atomic<Bool>(false)

    private static let pollIntervalMilliseconds = 4

    init(
        _ sizing: Sizing, limit: Int, hasBacklog: @escaping @Sendable () -> Bool, onEnd: @escaping @Sendable () -> Void,
        body: @escaping @Sendable (WorkerPool) -> Void
    ) {
        self.sizing = sizing
        self.limit = max(limit, 2)
        self.hasBacklog = hasBacklog
        self.onEnd = onEnd
        self.body = body
    }

    /// Starts the first worker and, for `minimal`, the monitor.
    func start() throws(Errno) {
        do throws(Errno) {
            try lock.withLock { () throws(Errno) in
                if sizing == .minimal { threads.append(try Thread { [self] in monitor() }) }
                try startWorker()
            }
        } catch {
            requestStop()
            join()
            throw error
        }
    }

    /// Under the lock.
    private func startWorker() throws(Errno) {
        guard running.load(ordering: .relaxed) < limit, !isStopping.load(ordering: .relaxed) else { return }
        running.add(1, ordering: .relaxed)
        active.add(1, ordering: .relaxed)
        do throws(Errno) {
            threads.append(
                try Thread { [self] in
                    body(self)
                    // A worker whose loop ended has seen the end of the requests: stop the parked workers, too.
                    requestStop()
                    if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { onEnd() }
                })
        } catch {
            running.subtract(1, ordering: .relaxed)
            active.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// Under the lock: wakes a parked worker or starts a new one. Ignores a failed start: one worker fewer is only
    /// slower.
    private func addWorker() {
        guard parked > woken else {
            try? startWorker()
            return
        }
        woken += 1
        active.add(1, ordering: .relaxed)
        wakeUp.wakeOne()
    }

    // MARK: For workers

    /// Whether the worker should take another request. A surplus worker parks first.
    func run() -> Bool {
        if surplus.load(ordering: .relaxed) > 0 { park() }
        return !isStopping.load(ordering: .relaxed)
    }

    private func park() {
        lock.lock()
        defer { lock.unlock() }
        guard surplus.load(ordering: .relaxed) > 0 else { return }
        surplus.store(0, ordering: .relaxed)
        // Some other worker must be idle: the remaining ones may all be blocked in a request.
        let busy = started.load(ordering: .relaxed) - finished.load(ordering: .relaxed)
        guard active.load(ordering: .relaxed) - busy > 1 else { return }
        active.subtract(1, ordering: .relaxed)
        parked += 1
        while woken == 0, !isStopping.load(ordering: .relaxed) { wakeUp.wait(lock) }
        parked -= 1
        woken = max(woken - 1, 0)
    }

    /// Call when the worker has taken a request.
    func requestStarted() {
        let started = started.add(1, ordering: .sequentiallyConsistent).newValue
        switch sizing {
        case .onePerRequest:
            guard started - finished.load(ordering: .relaxed) >= active.load(ordering: .relaxed) else { return }
            lock.withLock { addWorker() }
        case .minimal:
            guard !polls.load(ordering: .sequentiallyConsistent) else { return }
            lock.withLock { activity.wakeOne() }
        }
    }

    /// Call when the request was answered.
    func requestFinished() { finished.add(1, ordering: .sequentiallyConsistent) }

    // MARK: The monitor

    private func monitor() {
        lock.lock()
        defer { lock.unlock() }
        var monitor = PoolMonitor()
        while !isStopping.load(ordering: .relaxed) {
            activity.wait(lock, atMostMilliseconds: Self.pollIntervalMilliseconds)
            let finished = finished.load(ordering: .sequentiallyConsistent)
            let busy = started.load(ordering: .sequentiallyConsistent) - finished
            let active = active.load(ordering: .relaxed)
            switch monitor.decide(busy: busy, active: active, finished: finished, hasBacklog: hasBacklog) {
            case .nothing: break
            case .addWorker: addWorker()
            case .parkWorker: surplus.store(active > 1 ? 1 : 0, ordering: .relaxed)
            case .sleep: waitForRequest(after: finished)
            }
        }
    }

    /// Under the lock: stops polling until a request starts. A request that starts meanwhile either sees that the
    /// monitor does not poll and wakes it, or is seen here.
    private func waitForRequest(after finished: Int) {
        polls.store(false, ordering: .sequentiallyConsistent)
        while started.load(ordering: .sequentiallyConsistent) == finished, !isStopping.load(ordering: .relaxed) {
            activity.wait(lock)
        }
        polls.store(true, ordering: .sequentiallyConsistent)
    }

    // MARK: State and end

    /// Whether a worker is still running, parked or not.
    var isServing: Bool { running.load(ordering: .acquiring) > 0 }

    /// The number of workers that are not parked.
    var activeCount: Int { active.load(ordering: .relaxed) }

    /// Whether a request is being served, and how many were served since the start.
    var requests: (areInProgress: Bool, finished: Int) {
        let finished = finished.load(ordering: .sequentiallyConsistent)
        return (started.load(ordering: .sequentiallyConsistent) != finished, finished)
    }

    /// Whether the monitor polls.
    var isPolling: Bool { polls.load(ordering: .sequentiallyConsistent) }

    /// Makes the parked workers and the monitor end; the others end after their request.
    private func requestStop() {
        lock.withLock {
            isStopping.store(true, ordering: .relaxed)
            wakeUp.wakeAll()
            activity.wakeAll()
        }
    }

    /// Makes all threads end, including those that are blocked while they wait for a request.
    func stop() {
        requestStop()
        let threads = lock.withLock { self.threads }
        while isServing {
            for thread in threads { thread.interrupt() }
            usleep(1000)
        }
    }

    /// Waits for all threads.
    func join() { while let next = lock.withLock({ threads.popLast() }) { next.join() } }
}
