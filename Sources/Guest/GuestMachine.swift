import Bytes
import Glibc
import Platform
import Storage
import Targets

/// A small virtual machine that runs commands as root, in QEMU, without root and without a network.
///
/// It sees the files of the host as they are, read by this user and never written: what it writes stays in its memory. Two
/// directories are shared: the host's root, read-only, and one of this run, where the commands' output and results go. So a
/// command finds the same programs, libraries and manifests as here, by the same paths.
///
/// QEMU is a child process that ends with this one; nothing is left behind but the files in the run's directory.
package struct GuestMachine: Hashable, Sendable {
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
    /// A command may take this long.
    package var deadlineSeconds = 600
    package var disks: [GuestDisk] = []

    package static let memoryRange = 128...65_536

    package init(_ kernel: GuestKernel) { self.kernel = kernel }

    /// On a busy machine emulation takes its time.
    private static let (bootSeconds, trialBootSeconds) = (120, 15)

    /// How a start ended.
    package enum Start {
        case up(GuestSession)
        case failed(GuestOutcome)
    }

    /// Runs one task in a guest of its own.
    ///
    /// - Parameters:
    ///   - directory: an empty directory of this run, for what the guest needs.
    ///   - output: receives what the command prints, as it does.
    package func run(
        _ task: GuestTask, in directory: ByteString, shouldStop: () -> Bool = { false },
        output: (Stream, [UInt8]) -> Void
    ) throws -> GuestOutcome {
        switch try start(in: directory, shouldStop: shouldStop) {
        case .failed(let outcome): return outcome
        case .up(let session):
            defer { session.end() }
            return try session.run(task, shouldStop: shouldStop, output: output)
        }
    }

    /// Starts a guest that waits for tasks.
    ///
    /// - Parameter directory: an empty directory of this run, for what the guest needs.
    package func start(in directory: ByteString, shouldStop: () -> Bool = { false }) throws -> Start {
        let files = GuestFiles(directory)
        try files.make()
        try OutputFile.create(files.image, try GuestImage.bytes(kernel, scratch: directory))
        let executable = try kernel.executable(scratch: directory)
        if try KVMSupport.isWorthTrying(accelerator) {
            let limit = accelerator == .kvm ? Self.bootSeconds : Self.trialBootSeconds
            do {
                let start = try attempt(.kvm, executable, files, bootSeconds: limit, shouldStop)
                guard accelerator == .auto, case .failed(let outcome) = start, case .notBooted = outcome.ending else {
                    return start
                }
            } catch GuestError.emulatorFailed where accelerator == .auto {
                // QEMU gave up before the guest ran: some KVMs refuse what QEMU asks for.
            }
            KVMSupport.noteFailure()
        }
        return try attempt(.tcg, executable, files, bootSeconds: Self.bootSeconds, shouldStop)
    }

    private func attempt(
        _ accelerator: Accelerator, _ executable: ByteString, _ files: GuestFiles, bootSeconds: Int,
        _ shouldStop: () -> Bool
    ) throws -> Start {
        let emulator = Emulator(
            executable, files, memoryMebibytes: memoryMebibytes, accelerator, disks: disks)
        let session = GuestSession(self, accelerator, files, try emulator.start())
        do {
            let ending = try session.waitUntilUp(seconds: bootSeconds, shouldStop)
            return ending.map { .failed(session.outcome($0)) } ?? .up(session)
        } catch {
            session.end()
            throw error
        }
    }
}
