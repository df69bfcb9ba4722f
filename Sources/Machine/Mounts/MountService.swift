import Bytes
import FaultFS
import Glibc
import Model
import Oracle
import Platform
import Storage
import Targets

/// Serves one mount until it is unmounted.
///
/// A power cut (by command, rule or a failed trace write) immediately turns the backing directory into a crash state.
/// The mount stays, and every call on it fails.
package struct MountService: Sendable {
    private let request: MountRequest
    private let directory: ServiceDirectory
    private let say: @Sendable (String) -> Void
    /// Raised when the service should end: the mount has ended, or `stop` was called.
    private let ending: OneWayFlag

    /// - Parameter say: receives messages, a line at a time, from several threads.
    package init(
        _ request: MountRequest, _ directory: ServiceDirectory, say: @escaping @Sendable (String) -> Void
    ) throws {
        ending = try OneWayFlag()
        self.request = request
        self.directory = directory
        self.say = say
    }

    /// Mounts, calls `ready`, serves, unmounts and finishes the trace. The mount is gone when this returns or throws.
    package func run(ready: () throws -> Void) throws {
        try recover()
        let trace = try makeTrace()
        let failure = Guarded<String?>(nil)
        let mount = Guarded<FaultMount?>(nil)
        let made: FaultMount
        do {
            try checkOracle()
            var options = options(trace)
            let (cut, say) = (request.cut, say)
            options.onFreeze = { reason in
                guard let made = mount.withLock({ $0 }), let trouble = Self.applyCut(made, reason, cut, say) else {
                    return
                }
                failure.withLock { $0 = trouble }
            }
            made = try FaultMount(backing: request.backing, mountPoint: request.mountPoint, options: options)
            if case .file(let path) = request.recording { try made.requireOutside(path, "a trace") }
            mount.withLock { $0 = made }
            try directory.willServe(made.mountPoint, of: made.backing)
            try made.start()
        } catch {
            removeTrace()
            throw error
        }
        do {
            try ready()
            try ending.wait()
        } catch {
            try made.unmount()
            throw error
        }
        try made.unmount()
        try trace?.finish()
        mount.withLock { $0 = nil }
        if let failure = failure.withLock({ $0 }) { throw MountServiceError.cutFailed(failure) }
    }

    /// Makes `run` unmount and return, now or once it has mounted. Thread safe.
    package func stop() { ending.raise() }

    /// Detaches a mount that a killed process left at the mount point. Mounting clears its leftovers in the backing
    /// directory.
    private func recover() throws(MountError) {
        for entry in try MountTable.read().reversed()
        where entry.isFaultFS && entry.mountPoint == request.mountPoint && entry.owner == geteuid() {
            // Keep a mount that a process in any namespace still serves; mounting over it is refused later.
            guard entry.connection() == .ended else { continue }
            try MountTable.detach(entry.mountPoint)
            say("took away the mount at \(entry.mountPoint) that a killed process left")
        }
    }

    private func options(_ trace: FileTrace?) -> MountOptions {
        var options = MountOptions()
        options.trace = trace
        options.oraclePath = request.oracle
        options.judgeOracleLine = OracleLine.judge
        options.profile = request.cut.profile
        options.effect = request.cut.effect
        options.seed = request.cut.seed
        options.rules = request.rules
        options.script = request.script
        options.allowOther = request.allowOther
        options.onUnmountRequest = { [ending] in ending.raise() }
        options.onEnd = { [ending] in ending.raise() }
        options.labels = ["daemon \(getpid())", "directory \(directory.path)"]
        return options
    }

    private func makeTrace() throws -> FileTrace? {
        switch request.recording {
        case .nothing: nil
        case .unnamed: try ScratchSpace.unnamedTrace()
        case .file(let path): try FileTrace(creating: path)
        }
    }

    /// Throws if the oracle is the same file as the trace, or an existing file that is not an oracle. Call this after
    /// the trace has been created.
    private func checkOracle() throws {
        guard let oracle = request.oracle else { return }
        var (status, other) = (stat(), stat())
        guard oracle.withCString({ stat($0, &status) }) == 0 else { return }
        if case .file(let trace) = request.recording, trace.withCString({ stat($0, &other) }) == 0,
            status.st_dev == other.st_dev && status.st_ino == other.st_ino
        {
            throw OutputError(oracle, .isOutputTwice)
        }
        // Other invalid files are rejected when opened.
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return }
        var start = [UInt8](repeating: 0, count: 64 << 10)
        let file = oracle.withCString { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw MountServiceError.system(call: "open", path: oracle, errno: errno) }
        defer { close(file) }
        let count = read(file, &start, start.count)
        let line = start.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
        guard case .invalid(let reason) = OracleLine.judge(line, 1) else { return }
        throw MountServiceError.notAnOracle(oracle, reason: reason)
    }

    /// Removes the trace of a failed mount: it is empty and would block the next attempt.
    private func removeTrace() {
        if case .file(let path) = request.recording { _ = path.withCString { unlink($0) } }
    }

    /// Creates the crash state after a power cut, unless a command requested the cut: commands create it themselves.
    /// Returns the error; nil on success.
    private static func applyCut(
        _ mount: FaultMount, _ reason: FreezeReason, _ cut: CutRequest, _ say: @Sendable (String) -> Void
    ) -> String? {
        say("the power was cut, \(reason)")
        if case .requested = reason { return nil }
        do throws(MountError) {
            let done = try mount.cutPowerInPlace(cut)
            for line in done.lossDescriptions { say("lost: \(line)") }
        } catch {
            if case .notRecorded = error { return nil }
            say("no crash state could be left: \(error)")
            return "\(error)"
        }
        if case .traceFailed(let why) = reason { return why }
        return nil
    }
}

/// Errors of a mount service. Mounting itself throws `MountError`.
package enum MountServiceError: Error, Hashable, Sendable {
    /// After a power cut, the backing directory is not a valid crash state.
    case cutFailed(String)
    /// The serving process ended before the mount was ready.
    case notReady(String)
    case notOurs(ByteString)
    /// The file for oracle lines is not an oracle.
    case notAnOracle(ByteString, reason: String)
    /// It is unknown whether a process serves the mount.
    case cannotAsk(ByteString, reason: String)
    /// The serving process did not end in time.
    case lingers(process: Int32, seconds: Int)
    /// The serving process reported this error at its end.
    case endedBadly(String)
    case system(call: String, path: ByteString, errno: Int32)
}

extension MountServiceError {
    /// Runs `body` and rethrows its errno as a failure of `call` on `path`.
    static func naming<Result: ~Copyable>(
        _ call: String, _ path: ByteString, _ body: () throws(Errno) -> Result
    ) throws(MountServiceError) -> Result {
        do throws(Errno) { return try body() } catch {
            throw .system(call: call, path: path, errno: error.code)
        }
    }
}

extension MountServiceError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cutFailed(let why): "the backing directory is not a state that a crash leaves: \(why)"
        case .notReady(let why): why
        case .notOurs(let path): "\(path): no mount of faultline is there; `faultline unmount` takes a mount point"
        case .notAnOracle(let path, let reason):
            "\(path): not an oracle, so that no line is appended: \(reason); name another file"
        case .cannotAsk(let path, let reason):
            "\(path): cannot be unmounted: unable to tell whether a process serves it: \(reason)"
        case .lingers(let process, let seconds):
            "process \(process), which serves the mount, did not end within \(seconds) s; `kill -9 \(process)` and "
                + "`faultline cleanup` take it away"
        case .endedBadly(let log): "unmounted, but the serving process reported an error:\n\(log)"
        case .system(let call, let path, let errno): "\(path): \(call): \(Errno(errno))"
        }
    }
}
