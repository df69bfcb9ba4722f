import Block
import Bytes
import Exploration
import Glibc
import Machine
import Model
import Oracle
import Platform
import Runs
import Storage
import Targets

/// One workload on a `FlakeyStack`, whose device begins to fail at a moment.
struct FlakeyLife {
    /// What was promised when the device failed.
    struct Switch {
        /// How many lines the oracle had when the change began, and when it was done.
        var linesBefore: Int
        var linesAfter: Int
        /// Acknowledgements when the change began.
        var acknowledged: Int
    }

    let request: RunRequest
    let context: RunContext
    let stack: FlakeyStack
    let oracle: ByteString

    private static let settlingMicroseconds: UInt32 = 2000
    private static let settlingAttempts = 100

    /// Runs the workload to its end, and makes the device fail afterwards. Throws if the workload fails by itself.
    func failAfter(_ fault: FlakeyFault) throws -> Switch {
        let workload = try start()
        guard let termination = try workload.finish(watching: oracle, shouldStop: context.shouldStop) else {
            throw RunError.interrupted
        }
        let end = WorkloadEnd(termination, errorOutput: workload.errorOutput)
        if termination.isUsageError { throw RunError.calledWrongly(end) }
        guard termination.isSuccess else {
            try context.requireRoom("the workload")
            throw RunError.failedWithoutFault(end, wroteLines: try lineCount(), request.target.confinement)
        }
        return try fail(fault)
    }

    /// Makes the device fail as soon as so many operations are acknowledged, and lets the workload go on to its end. Nil if
    /// the workload ended before.
    func fail(_ fault: FlakeyFault, atAcknowledgement count: Int) throws -> Switch? {
        let workload = try start()
        guard try wait(for: count, workload) else { return nil }
        // Stopped, it acknowledges nothing while the table changes: each promise is before the fault, or after it.
        workload.process.signal(SIGSTOP)
        let change: Switch
        do {
            try settle()
            change = try fail(fault)
        } catch {
            _ = try? workload.kill()
            throw error
        }
        workload.process.signal(SIGCONT)
        // It may refuse, go on or hang: what it had promised counts.
        guard try workload.finish(watching: oracle, shouldStop: context.shouldStop) != nil else {
            throw RunError.interrupted
        }
        return change
    }

    private func start() throws -> WorkloadRun {
        try WorkloadRun(request.target, request.environment(stack.store, oracle: oracle, firstSeq: 1))
    }

    /// Waits for an acknowledgement. False, and the workload has ended, if it did not come.
    private func wait(for count: Int, _ workload: WorkloadRun) throws -> Bool {
        var watch = OracleWatch(oracle, from: 0)
        var lastAt = MonotonicTime.seconds()
        while workload.process.termination == nil {
            let before = watch.acknowledged
            watch.poll()
            if watch.acknowledged >= count, workload.process.termination == nil { return true }
            if watch.acknowledged > before { lastAt = MonotonicTime.seconds() }
            if context.shouldStop() {
                _ = try workload.kill()
                throw RunError.interrupted
            }
            if MonotonicTime.seconds() - lastAt > Double(request.target.target.timeoutSeconds) { break }
            usleep(50)
        }
        let termination = try workload.kill()
        let end = WorkloadEnd(termination, errorOutput: workload.errorOutput)
        if termination.isUsageError { throw RunError.calledWrongly(end) }
        guard termination.isSuccess else {
            try context.requireRoom("the workload")
            throw RunError.failedWithoutFault(end, wroteLines: try lineCount(), request.target.confinement)
        }
        return false
    }

    /// Waits until a stopped workload writes no more.
    private func settle() throws {
        var count = try lineCount()
        for _ in 0..<Self.settlingAttempts {
            usleep(Self.settlingMicroseconds)
            let now = try lineCount()
            if now == count { return }
            count = now
        }
    }

    private func fail(_ fault: FlakeyFault) throws -> Switch {
        let linesBefore = try lineCount()
        var watch = OracleWatch(oracle, from: 0)
        watch.poll()
        let acknowledged = watch.acknowledged
        try stack.change(to: fault)
        return Switch(linesBefore: linesBefore, linesAfter: try lineCount(), acknowledged: acknowledged)
    }

    /// How many whole lines the oracle has now.
    private func lineCount() throws -> Int {
        guard RunFiles.exists(oracle) else { return 0 }
        var count = 0
        try RunFiles.forEachChunk(of: oracle, followingLinks: false) { chunk in
            count += chunk.count { $0 == UInt8(ascii: "\n") }
        }
        return count
    }
}
