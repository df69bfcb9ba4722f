import FaultFS
import Glibc
import Platform
import Schedules

/// Threads that a pool starts, played by threads of the scenario: a number of them, which is the limit of threads.
final class PlayedThreads: WorkerThreads, @unchecked Sendable {
    private let limit: Int
    private let interrupt: @Sendable () -> Void
    private let object = ScheduledObject(synchronises: true)
    private var bodies: [@Sendable () -> Void] = []
    private var ended: Set<Int> = []
    private var isClosed = false

    /// - Parameter interrupt: interrupts all of them.
    init(limit: Int, interrupt: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.interrupt = interrupt
    }

    private struct PlayedThread: WorkerThread {
        let index: Int
        let threads: PlayedThreads

        func join() { threads.awaitEnd(of: index) }
        func interrupt() { threads.interrupt() }
    }

    func start(_ body: @escaping @Sendable () -> Void) throws(Errno) -> any WorkerThread {
        try ScheduledObject.step("start a thread", writing: [object]) { () throws(Errno) in
            guard bodies.count < limit else { throw Errno(EAGAIN) }
            bodies.append(body)
            return PlayedThread(index: bodies.count - 1, threads: self)
        }
    }

    /// Plays a thread: waits until it is started, if it is, and returns when it has ended.
    func play(_ index: Int) {
        let isDecided = { @Sendable [self] in bodies.count > index || isClosed }
        let body = ScheduledObject.step("begin, once started", reading: [object], when: isDecided) {
            bodies.count > index ? bodies[index] : nil
        }
        guard let body else { return }
        body()
        ScheduledObject.step("end", writing: [object]) { _ = ended.insert(index) }
    }

    private func awaitEnd(of index: Int) {
        let hasEnded = { @Sendable [self] in ended.contains(index) }
        ScheduledObject.step("join a thread", reading: [object], when: hasEnded) {}
    }

    /// Lets the threads that were not started end. Call when the pool has ended.
    func close() { ScheduledObject.step("start no more threads", writing: [object]) { isClosed = true } }

    var startedCount: Int { bodies.count }
    /// Whether all threads that were started have ended.
    var haveEnded: Bool { ended.count == bodies.count }
}
