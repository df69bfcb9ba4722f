import Platform

/// How many workers a pool runs.
package enum PoolSizing: Sendable {
    /// One idle worker besides those that serve a request.
    case onePerRequest
    /// As few workers as keep up with the load.
    case minimal
}

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
/// Threading: `serve` is for the workers, the others for any thread. Lock order: `gate`, then `parking`. It runs under a
/// scheduler, too (docs/schedules.md).
package final class WorkerPool<C: Coordination>: @unchecked Sendable {
    private let sizing: PoolSizing
    private let limit: UInt64
    private let firstMonitor: PoolMonitor
    private let starter: any WorkerThreads
    /// Whether requests are queued that no worker has taken.
    private let hasBacklog: @Sendable () -> Bool
    /// Called by the last worker when it ends.
    private let onEnd: @Sendable () -> Void
    /// A worker's thread: it calls `serve`.
    private let body: @Sendable (WorkerPool) -> Void

    private let words = C.Words(count: PoolWord.count, name: "worker pool")

    /// Guards `threads` and `parked`, and all words but those of requests are stored under it. The monitor waits at it.
    private let gate = C.Gate(name: "pool gate")
    private var threads: [any WorkerThread] = []
    /// Parked workers, without those that were woken.
    private var parked = 0

    /// Guards `wakeups`. Parked workers wait at it.
    private let parking = C.Gate(name: "parking gate")
    /// How many parked workers were woken and have not run yet.
    private var wakeups = 0

    private static var pollIntervalNanoseconds: UInt64 { 4_000_000 }
    private static var pauseNanoseconds: UInt64 { 1_000_000 }

    package init(
        _ sizing: PoolSizing, limit: Int, monitor: PoolMonitor = PoolMonitor(),
        threads: some WorkerThreads, hasBacklog: @escaping @Sendable () -> Bool,
        onEnd: @escaping @Sendable () -> Void, body: @escaping @Sendable (WorkerPool) -> Void
    ) {
        self.sizing = sizing
        self.limit = UInt64(max(limit, 2))
        firstMonitor = monitor
        starter = threads
        self.hasBacklog = hasBacklog
        self.onEnd = onEnd
        self.body = body
    }

    /// Starts the first worker and, for `minimal`, the monitor. If it throws, no thread is left.
    package func start() throws(Errno) {
        do throws(Errno) {
            try gate.withLock { () throws(Errno) in
                if sizing == .minimal { threads.append(try starter.start { [self] in runMonitor() }) }
                try startWorker()
            }
        } catch {
            requestStop()
            join()
            throw error
        }
    }

    /// Under the gate.
    private func startWorker() throws(Errno) {
        guard words.load(PoolWord.running) < limit, !isStopping else { return }
        add(1, PoolWord.running)
        add(1, PoolWord.active)
        do throws(Errno) {
            threads.append(try starter.start { [self] in runWorker() })
        } catch {
            add(-1, PoolWord.running)
            add(-1, PoolWord.active)
            throw error
        }
    }

    private func runWorker() {
        body(self)
        // A worker whose loop ended has seen the end of the requests: stop the parked workers, too.
        requestStop()
        let isLast = gate.withLock { () -> Bool in
            add(-1, PoolWord.running)
            guard words.load(PoolWord.running) == 0 else { return false }
            gate.wakeAll()
            return true
        }
        if isLast { onEnd() }
    }

    /// Under the gate: changes a word that is stored under it only.
    private func add(_ difference: Int64, _ word: Int) {
        words.store(words.load(word) &+ UInt64(bitPattern: difference), at: word)
    }

    /// Under the gate: wakes a parked worker or starts a new one. Ignores a failed start: one worker fewer is only
    /// slower.
    private func addWorker() {
        guard parked > 0 else {
            try? startWorker()
            return
        }
        parked -= 1
        add(1, PoolWord.active)
        parking.withLock {
            wakeups += 1
            parking.wakeAll()
        }
    }

    // MARK: For workers

    /// A worker's loop: takes requests and serves them until the pool stops or there are no more.
    @inline(__always)
    package func serve(receiving receive: () -> Reception, processing process: () -> Void) {
        while goesOn() {
            switch receive() {
            case .request:
                requestStarted()
                process()
                words.add(1, at: PoolWord.finished)
            case .nothing: continue
            case .outOfMemory: pause()
            case .end: return
            }
        }
    }

    /// Whether the worker should take another request. A surplus worker parks first.
    private func goesOn() -> Bool {
        switch words.load(PoolWord.order) {
        case PoolOrder.work: return true
        case PoolOrder.stop: return false
        default:
            park()
            return !isStopping
        }
    }

    private func park() {
        let parks = gate.withLock { () -> Bool in
            guard words.load(PoolWord.order) == PoolOrder.park else { return false }
            words.store(PoolOrder.work, at: PoolWord.order)
            // Some other worker must be idle: the remaining ones may all be blocked in a request.
            let finished = words.load(PoolWord.finished)
            guard words.load(PoolWord.active) > startedCount - finished + 1 else { return false }
            add(-1, PoolWord.active)
            parked += 1
            return true
        }
        guard parks else { return }
        parking.withLock {
            while wakeups == 0, !isStopping { parking.wait() }
            wakeups = max(wakeups - 1, 0)
        }
    }

    private func requestStarted() {
        let word = words.add(PoolWord.oneStarted, at: PoolWord.started)
        switch sizing {
        case .onePerRequest:
            let busy = PoolWord.started(word) - words.load(PoolWord.finished)
            guard busy >= words.load(PoolWord.active) else { return }
            gate.withLock { addWorker() }
        case .minimal:
            guard word & PoolWord.monitorSleeps != 0 else { return }
            gate.withLock { gate.wakeAll() }
        }
    }

    private func pause() { gate.withLock { gate.wait(until: C.nanoseconds + Self.pauseNanoseconds) } }

    // MARK: The monitor

    private func runMonitor() {
        gate.lock()
        defer { gate.unlock() }
        var monitor = firstMonitor
        while !isStopping {
            gate.wait(until: C.nanoseconds + Self.pollIntervalNanoseconds)
            if !isStopping { poll(&monitor) }
        }
    }

    /// Under the gate.
    private func poll(_ monitor: inout PoolMonitor) {
        let finished = words.load(PoolWord.finished)
        let busy = Int(startedCount - finished)
        let active = words.load(PoolWord.active)
        switch monitor.decide(busy: busy, active: Int(active), finished: Int(finished), hasBacklog: hasBacklog) {
        case .nothing: break
        case .addWorker: addWorker()
        case .parkWorker: words.store(active > 1 ? PoolOrder.park : PoolOrder.work, at: PoolWord.order)
        case .sleep: sleepUntilRequest(after: finished)
        }
    }

    /// Under the gate: stops polling until a request starts. A request that starts meanwhile either makes the exchange fail,
    /// or sees that the monitor sleeps, and wakes it.
    private func sleepUntilRequest(after finished: UInt64) {
        let idle = finished * PoolWord.oneStarted
        let sleeping = idle | PoolWord.monitorSleeps
        guard words.exchange(at: PoolWord.started, expected: idle, desired: sleeping) else { return }
        while words.load(PoolWord.started) == sleeping, !isStopping { gate.wait() }
        words.add(0 &- PoolWord.monitorSleeps, at: PoolWord.started)
    }

    // MARK: State and end

    private var isStopping: Bool { words.load(PoolWord.order) == PoolOrder.stop }

    /// Load it after `finished`, so that it is not smaller.
    private var startedCount: UInt64 { PoolWord.started(words.load(PoolWord.started)) }

    /// Whether a worker is still running, parked or not.
    package var isServing: Bool { words.load(PoolWord.running) > 0 }

    /// The number of workers that are not parked.
    package var activeCount: Int { Int(words.load(PoolWord.active)) }

    /// Whether a request is being served, and how many were served since the start.
    package var requests: (areInProgress: Bool, finished: Int) {
        let finished = words.load(PoolWord.finished)
        return (startedCount != finished, Int(finished))
    }

    /// Whether the monitor polls.
    var isPolling: Bool { words.load(PoolWord.started) & PoolWord.monitorSleeps == 0 }

    /// Makes the parked workers and the monitor end; the others end after their request.
    private func requestStop() {
        gate.withLock {
            words.store(PoolOrder.stop, at: PoolWord.order)
            gate.wakeAll()
        }
        parking.withLock { parking.wakeAll() }
    }

    /// Makes all threads end, including those that are blocked while they wait for a request.
    package func stop() {
        requestStop()
        let threads = gate.withLock { self.threads }
        while isServing {
            for thread in threads { thread.interrupt() }
            // Until the last worker ends, or an interrupt may have come too early and is to be repeated.
            gate.withLock { if isServing { gate.wait(until: C.nanoseconds + Self.pauseNanoseconds) } }
        }
    }

    /// Waits for all threads.
    package func join() { while let next = gate.withLock({ threads.popLast() }) { next.join() } }
}
