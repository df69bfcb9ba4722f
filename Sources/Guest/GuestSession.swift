import Bytes
import Glibc
import Platform
import Storage
import Targets

/// A guest that is up and runs one task after the other, each on a layer of its own over the host's files. What a task
/// leaves running is killed, and what it leaves behind is in nobody's way.
///
/// A task that panics the guest, turns it off or takes too long ends it. QEMU ends with this process, or with the session.
/// One thread at a time.
package final class GuestSession: @unchecked Sendable {
    private let machine: GuestMachine
    private let accelerator: GuestMachine.Accelerator
    private let files: GuestFiles
    private let process: ChildProcess
    private let startedAt = MonotonicTime.seconds()
    /// nil after it was told with a task.
    private var bootSeconds: Double?
    private var taskCount = 0
    /// Whether it can run another task.
    package private(set) var isUp = false

    private static let pauseMilliseconds = 10

    init(
        _ machine: GuestMachine, _ accelerator: GuestMachine.Accelerator, _ files: GuestFiles, _ process: ChildProcess
    ) {
        (self.machine, self.accelerator, self.files, self.process) = (machine, accelerator, files, process)
    }

    deinit { end() }

    /// Waits for its first process. Returns why it did not come up; nil if it did.
    func waitUntilUp(seconds limit: Int, _ shouldStop: () -> Bool) throws -> GuestOutcome.Ending? {
        while try process.wait(timeoutMilliseconds: Self.pauseMilliseconds) == nil {
            let seconds = MonotonicTime.seconds() - startedAt
            if GuestFile.exists(files.booted) {
                (isUp, bootSeconds) = (true, seconds)
                return nil
            }
            if shouldStop() { return .stopped }
            if seconds > Double(limit) { return .notBooted(seconds: limit) }
        }
        if let reason = files.writtenFailure { throw GuestError.notSetUp(reason: reason) }
        if let line = GuestConsole(at: files.console).panic { return .panicked(line: line) }
        throw GuestError.emulatorFailed(
            ending: process.termination.map { "\($0)" } ?? "ended", said: process.standardError.said)
    }

    /// Runs a task to its end.
    ///
    /// - Parameter output: receives what the command prints, as it does.
    package func run(
        _ task: GuestTask, shouldStop: () -> Bool = { false }, output: (GuestMachine.Stream, [UInt8]) -> Void
    ) throws -> GuestOutcome {
        let began = MonotonicTime.seconds()
        taskCount += 1
        let place = try files.makeTask(taskCount)
        try OutputFile.create(place.command, try GuestScript.command(task))
        try OutputFile.create(place.bring, try GuestScript.bringing(task.bring))
        for (name, file) in task.give { try place.give(file, as: name) }
        try OutputFile.create(place.start, [])
        var streams = GuestStreams(place)
        func outcome(_ ending: GuestOutcome.Ending) -> GuestOutcome {
            let boot = bootSeconds
            bootSeconds = nil
            if case .exited = ending {} else { end() }
            streams.forward(to: output)
            var outcome = self.outcome(ending)
            (outcome.bootSeconds, outcome.brought) = (boot, place.brought)
            outcome.seconds = MonotonicTime.seconds() - began + (boot ?? 0)
            return outcome
        }
        while try process.wait(timeoutMilliseconds: Self.pauseMilliseconds) == nil {
            if let status = place.writtenStatus { return outcome(.exited(status: status)) }
            streams.forward(to: output)
            if shouldStop() { return outcome(.stopped) }
            if MonotonicTime.seconds() - began > Double(machine.deadlineSeconds) {
                return outcome(.timedOut(seconds: machine.deadlineSeconds))
            }
        }
        isUp = false
        if let status = place.writtenStatus { return outcome(.exited(status: status)) }
        if let line = GuestConsole(at: files.console).panic { return outcome(.panicked(line: line)) }
        if let reason = files.writtenFailure { throw GuestError.notSetUp(reason: reason) }
        return outcome(.turnedOff)
    }

    /// What there is to tell of a guest that ended, or of a task.
    func outcome(_ ending: GuestOutcome.Ending) -> GuestOutcome {
        if case .exited = ending {} else { end() }
        let console = GuestConsole(at: files.console)
        return GuestOutcome(
            ending: ending, console: console.tail, outOfMemory: console.outOfMemory, bootSeconds: bootSeconds,
            seconds: MonotonicTime.seconds() - startedAt, kernel: machine.kernel.release, accelerator: accelerator)
    }

    /// A file that the running task sees as GuestScript.sharedDirectory/`name`, and writes to while it runs.
    package func sharedFile(_ name: ByteString) -> ByteString { files.task(taskCount + 1).appending(component: name) }

    /// Kills it.
    package func end() {
        isUp = false
        try? process.killTree()
    }
}
