import Glibc
import Synchronization

/// The threads that serve a mount: how many there are, and when one more or one fewer waits for requests.
///
/// Where a request may wait for a disk, there is always one more thread than there are requests, up to the limit: nobody
/// waits for somebody else's sync. Where storage is memory, no request waits for anything, and a thread that takes over
/// from another only costs: each finds the processor's caches full of the other's, some 5 % of a write and its sync. There
/// one thread serves, and a second and further ones while it falls behind. Of that a watch keeps account: a few hundred times
/// a second, while there are requests at all, it looks whether some wait that nobody has taken yet. It also sees when all
/// threads have been at the same requests since it last looked, and sends another: nothing that a request waits for, were it
/// another request, can hang the mount.
///
/// Threading: `began`, `ended` and `attend` are for the threads of the crew, the others for any.
final class Crew: @unchecked Sendable {
    enum Size: Sendable {
        /// One more than there are requests.
        case ample
        /// As few as keep up.
        case few
    }

    private let size: Size
    private let limit: Int
    /// Whether requests wait that no thread has taken.
    private let isBehind: @Sendable () -> Bool
    /// Called when the last thread leaves, from that thread.
    private let onEnd: @Sendable () -> Void
    /// What each thread does: takes requests until there will be no more.
    private let body: @Sendable (Crew) -> Void

    private let lock = Lock()
    private let call = Condition()
    private let activity = Condition()
    private var threads: [Thread] = []
    /// How many threads rest, and how many of them were called and have not noticed it yet.
    private var resting = 0
    private var called = 0

    private let running = Atomic<Int>(0)
    /// Threads that do not rest.
    private let attending = Atomic<Int>(0)
    private let begun = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)
    /// How many of those that attend are not needed.
    private let surplus = Atomic<Int>(0)
    /// Whether the watch looks by itself; else it waits to be told of a request.
    private let looks = Atomic<Bool>(true)
    private let isStopping = Atomic<Bool>(false)

    private static let lookEveryMilliseconds = 4
    /// How often in a row requests waited before one more thread is called, and did not before one rests.
    private static let looksBeforeCall = 4
    private static let looksBeforeRest = 64

    init(
        _ size: Size, limit: Int, isBehind: @escaping @Sendable () -> Bool, onEnd: @escaping @Sendable () -> Void,
        body: @escaping @Sendable (Crew) -> Void
    ) {
        self.size = size
        self.limit = max(limit, 2)
        self.isBehind = isBehind
        self.onEnd = onEnd
        self.body = body
    }

    /// Starts the first thread, and the watch if there is one.
    func start() throws(Errno) {
        do throws(Errno) {
            try lock.withLock { () throws(Errno) in
                if size == .few { threads.append(try Thread { [self] in watch() }) }
                try add()
            }
        } catch {
            dismiss()
            join()
            throw error
        }
    }

    /// Beneath the lock.
    private func add() throws(Errno) {
        guard running.load(ordering: .relaxed) < limit, !isStopping.load(ordering: .relaxed) else { return }
        running.add(1, ordering: .relaxed)
        attending.add(1, ordering: .relaxed)
        do throws(Errno) {
            threads.append(
                try Thread { [self] in
                    body(self)
                    // Whoever finds that there will be no more requests says so to those that rest.
                    dismiss()
                    if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { onEnd() }
                })
        } catch {
            running.subtract(1, ordering: .relaxed)
            attending.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// Beneath the lock: sends one thread more, one that rests or a new one. One thread too few is only slower.
    private func send() {
        guard resting > called else {
            try? add()
            return
        }
        called += 1
        attending.add(1, ordering: .relaxed)
        call.wakeOne()
    }

    // MARK: For the threads of the crew

    /// Whether there is anything more to do; the thread may have rested before it is answered.
    func attend() -> Bool {
        if surplus.load(ordering: .relaxed) > 0 { rest() }
        return !isStopping.load(ordering: .relaxed)
    }

    private func rest() {
        lock.lock()
        defer { lock.unlock() }
        guard surplus.load(ordering: .relaxed) > 0 else { return }
        surplus.store(0, ordering: .relaxed)
        // Another that is free, not only one that has been at the same request all the while.
        let atWork = begun.load(ordering: .relaxed) - finished.load(ordering: .relaxed)
        guard attending.load(ordering: .relaxed) - atWork > 1 else { return }
        attending.subtract(1, ordering: .relaxed)
        resting += 1
        while called == 0, !isStopping.load(ordering: .relaxed) { call.wait(lock) }
        resting -= 1
        called = max(called - 1, 0)
    }

    /// The thread has taken a request.
    func began() {
        let begun = begun.add(1, ordering: .sequentiallyConsistent).newValue
        switch size {
        case .ample:
            guard begun - finished.load(ordering: .relaxed) >= attending.load(ordering: .relaxed) else { return }
            lock.withLock { send() }
        case .few:
            guard !looks.load(ordering: .sequentiallyConsistent) else { return }
            lock.withLock { activity.wakeOne() }
        }
    }

    /// The request is answered.
    func ended() { finished.add(1, ordering: .sequentiallyConsistent) }

    // MARK: The watch

    private func watch() {
        lock.lock()
        defer { lock.unlock() }
        var seen = 0
        var (behind, ahead) = (0, 0)
        while !isStopping.load(ordering: .relaxed) {
            activity.wait(lock, atMostMilliseconds: Self.lookEveryMilliseconds)
            let finished = finished.load(ordering: .sequentiallyConsistent)
            let atWork = begun.load(ordering: .sequentiallyConsistent) - finished
            let isAllAtWork = atWork >= attending.load(ordering: .relaxed)
            if finished != seen {
                (behind, ahead) = isAllAtWork && isBehind() ? (behind + 1, 0) : (0, ahead + 1)
                if behind == Self.looksBeforeCall {
                    behind = 0
                    send()
                } else if ahead == Self.looksBeforeRest {
                    ahead = 0
                    surplus.store(attending.load(ordering: .relaxed) > 1 ? 1 : 0, ordering: .relaxed)
                }
            } else if isAllAtWork {
                send()
            } else if atWork == 0 {
                waitForRequest(after: finished)
            }
            seen = finished
        }
    }

    /// Beneath the lock. A request that begins meanwhile finds that the watch does not look, or the watch finds it.
    private func waitForRequest(after finished: Int) {
        looks.store(false, ordering: .sequentiallyConsistent)
        while begun.load(ordering: .sequentiallyConsistent) == finished, !isStopping.load(ordering: .relaxed) {
            activity.wait(lock)
        }
        looks.store(true, ordering: .sequentiallyConsistent)
    }

    // MARK: The end

    /// Whether a thread still serves.
    var isServing: Bool { running.load(ordering: .acquiring) > 0 }

    /// How many threads do not rest.
    var attendance: Int { attending.load(ordering: .relaxed) }

    /// Whether a request is being served, and how many were since the start.
    var work: (isUnderWay: Bool, finished: Int) {
        let finished = finished.load(ordering: .sequentiallyConsistent)
        return (begun.load(ordering: .sequentiallyConsistent) != finished, finished)
    }

    /// Whether the watch looks by itself.
    var isWatched: Bool { looks.load(ordering: .sequentiallyConsistent) }

    /// There will be no more requests, or none that matter: all who rest or watch leave.
    private func dismiss() {
        lock.withLock {
            isStopping.store(true, ordering: .relaxed)
            call.wakeAll()
            activity.wakeAll()
        }
    }

    /// Makes the threads leave, also those that wait for a request.
    func stop() {
        dismiss()
        let threads = lock.withLock { self.threads }
        while isServing {
            for thread in threads { thread.interrupt() }
            usleep(1000)
        }
    }

    /// Waits for all threads.
    func join() { while let next = lock.withLock({ threads.popLast() }) { next.join() } }
}
