import Platform

/// Starts the threads of a worker pool.
package protocol WorkerThreads: Sendable {
    /// Starts a thread. EAGAIN at the thread limit.
    func start(_ body: @escaping @Sendable () -> Void) throws(Errno) -> any WorkerThread
}

/// A thread of a worker pool.
package protocol WorkerThread: Sendable {
    /// Waits for its end.
    func join()
    /// Interrupts the thread's blocking system call, if it is in one at this moment.
    func interrupt()
}

extension Thread: WorkerThread {}

/// Threads of the system.
struct SystemThreads: WorkerThreads {
    func start(_ body: @escaping @Sendable () -> Void) throws(Errno) -> any WorkerThread { try Thread(body) }
}
