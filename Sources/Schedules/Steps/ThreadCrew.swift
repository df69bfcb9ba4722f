import Platform
import Synchronization

/// Threads of the system that play the threads of a scenario, one execution after the other. Exactly one thread has control:
/// one of these, or the owner, which prepares and checks each execution.
final class ThreadCrew: @unchecked Sendable {
    /// For each thread a word, one cache line each: 1 when control was passed to it.
    private let turns: SystemWords
    /// Written by the owner while it has control.
    private var jobs: [(@Sendable () -> Void)?]

    private let lock = Lock()
    private let condition = Condition()
    /// Guarded by the lock.
    private var isOwnersTurn = false
    /// For the watch over threads that block outside of the seam.
    private let steps = Atomic<Int>(0)

    init(count: Int) throws(ScheduleError) {
        turns = SystemWords(count: count * Self.stride, name: "turns")
        jobs = [(@Sendable () -> Void)?](repeating: nil, count: count)
        for index in 0..<count {
            do throws(Errno) { try Thread.startDetached { [self] in work(index) } } catch {
                throw .noThreads("\(error)")
            }
        }
    }

    private static let stride = 8

    private func work(_ index: Int) {
        while true {
            waitForTurn(index)
            guard let job = jobs[index] else { return }
            jobs[index] = nil
            job()
        }
    }

    func assign(_ index: Int, _ job: @escaping @Sendable () -> Void) { jobs[index] = job }

    /// Ends the threads. The owner has control, and no thread has a job.
    func dismiss() {
        for index in jobs.indices { pass(to: index) }
    }

    // MARK: Control

    func pass(to index: Int) {
        turns.store(1, at: index * Self.stride)
        turns.wakeOne(at: index * Self.stride, in: .even)
    }

    func waitForTurn(_ index: Int) {
        while turns.load(index * Self.stride) == 0 { turns.wait(at: index * Self.stride, while: 0, in: .even) }
        turns.store(0, at: index * Self.stride)
    }

    func passToOwner() {
        lock.lock()
        isOwnersTurn = true
        condition.wakeOne()
        lock.unlock()
    }

    func countStep() { steps.wrappingAdd(1, ordering: .relaxed) }

    private static let patienceMilliseconds = 20_000

    /// Waits for control. Throws if no thread takes a step for a long time: then the running one waits for something that
    /// the scheduler does not know.
    func awaitOwner() throws(ScheduleError) {
        lock.lock()
        defer { lock.unlock() }
        var seen = -1
        var deadline = Deadline(afterMilliseconds: Self.patienceMilliseconds)
        while !isOwnersTurn {
            let count = steps.load(ordering: .relaxed)
            if count != seen {
                seen = count
                deadline = Deadline(afterMilliseconds: Self.patienceMilliseconds)
            } else if deadline.hasPassed {
                throw .blocked(seconds: Self.patienceMilliseconds / 1000)
            }
            condition.wait(lock, atMostMilliseconds: 1000)
        }
        isOwnersTurn = false
    }
}
