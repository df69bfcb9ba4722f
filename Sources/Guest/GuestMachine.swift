import Bytes
import Glibc
import Platform
import Storage
import Targets

/// A small virtual machine that runs one command as root, in QEMU, without root and without a network.
///
/// It sees the files of the host as they are, read by this user and never written: what it writes stays in its memory. Two
/// directories are shared: the host's root, read-only, and one of this run, where the command's output and results go. So the
/// command finds the same programs, libraries and manifests as here, by the same paths.
///
/// QEMU is a child process that ends with this one; nothing is left behind but the files in the run's directory.
package struct GuestMachine: Sendable {
    package enum Accelerator: String, CaseIterable, Codable, Sendable {
        /// KVM where it works, else TCG.
        case auto
        case kvm
        /// Emulation: it works everywhere.
        case tcg
    }

    package enum Stream: Hashable, Sendable, CaseIterable { case output, errors }

    package var kernel: GuestKernel
    package var memoryMebibytes = 1024
    package var accelerator = Accelerator.auto
    /// The command may take this long, the start of the guest included.
    package var deadlineSeconds = 600

    package static let memoryRange = 128...65_536

    package init(_ kernel: GuestKernel) { self.kernel = kernel }

    /// On a busy machine emulation takes its time.
    private static let (bootSeconds, trialBootSeconds) = (120, 15)

    /// Runs a task.
    ///
    /// - Parameters:
    ///   - directory: an empty directory of this run, for what the guest needs. Brought paths are below `brought` in it.
    ///   - output: receives what the command prints, as it does.
    package func run(
        _ task: GuestTask, in directory: ByteString, shouldStop: () -> Bool = { false },
        output: (Stream, [UInt8]) -> Void
    ) throws -> GuestOutcome {
        let files = GuestFiles(directory)
        try files.make()
        try OutputFile.create(files.command, try GuestScript.command(task))
        try OutputFile.create(files.bring, try GuestScript.bringing(task.bring))
        try OutputFile.create(files.image, try GuestImage.bytes(kernel, scratch: directory))
        let executable = try kernel.executable(scratch: directory)
        if try KVMSupport.isWorthTrying(accelerator) {
            let limit = accelerator == .kvm ? Self.bootSeconds : Self.trialBootSeconds
            do {
                let outcome = try attempt(.kvm, executable, files, bootSeconds: limit, shouldStop, output)
                guard accelerator == .auto, case .notBooted = outcome.ending else { return outcome }
            } catch GuestError.emulatorFailed where accelerator == .auto {
                // QEMU gave up before the guest ran: some KVMs refuse what QEMU asks for.
            }
            KVMSupport.noteFailure()
        }
        return try attempt(.tcg, executable, files, bootSeconds: Self.bootSeconds, shouldStop, output)
    }

    private func attempt(
        _ accelerator: Accelerator, _ executable: ByteString, _ files: GuestFiles, bootSeconds: Int,
        _ shouldStop: () -> Bool, _ output: (Stream, [UInt8]) -> Void
    ) throws -> GuestOutcome {
        let emulator = Emulator(executable, files, memoryMebibytes: memoryMebibytes, accelerator)
        let began = MonotonicTime.seconds()
        let process = try emulator.start()
        defer { try? process.killTree() }
        var streams = GuestStreams(files)
        var bootedAfter: Double?
        func outcome(_ ending: GuestOutcome.Ending) throws -> GuestOutcome {
            try process.killTree()
            streams.forward(to: output)
            let console = GuestConsole(at: files.console)
            return GuestOutcome(
                ending: ending, console: console.tail, outOfMemory: console.outOfMemory, bootSeconds: bootedAfter,
                seconds: MonotonicTime.seconds() - began, kernel: kernel.release, accelerator: accelerator)
        }
        while try process.wait(timeoutMilliseconds: 20) == nil {
            let seconds = MonotonicTime.seconds() - began
            if bootedAfter == nil, GuestFile.exists(files.booted) { bootedAfter = seconds }
            streams.forward(to: output)
            if shouldStop() { return try outcome(.stopped) }
            if bootedAfter == nil, seconds > Double(bootSeconds) {
                return try outcome(.notBooted(seconds: bootSeconds))
            }
            if seconds > Double(deadlineSeconds) { return try outcome(.timedOut(seconds: deadlineSeconds)) }
        }
        if bootedAfter == nil, GuestFile.exists(files.booted) { bootedAfter = MonotonicTime.seconds() - began }
        if let status = files.writtenStatus { return try outcome(.exited(status: status)) }
        if let line = GuestConsole(at: files.console).panic { return try outcome(.panicked(line: line)) }
        if let reason = files.writtenFailure { throw GuestError.notSetUp(reason: reason) }
        guard bootedAfter != nil else {
            throw GuestError.emulatorFailed(
                ending: process.termination.map { "\($0)" } ?? "ended", said: process.standardError.said)
        }
        return try outcome(.turnedOff)
    }
}
