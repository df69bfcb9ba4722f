import Bytes
import FaultFS
import Glibc
import Model
import Oracle
import Platform
import Storage
import Targets

/// Serves one mount until somebody unmounts it.
///
/// When the power goes, by a command, a rule or because the trace could not be written, the backing directory is turned
/// into a crash state at once; the mount stays, and every call on it fails.
package struct MountService: Sendable {
    private let request: MountRequest
    private let directory: ServiceDirectory
    private let say: @Sendable (String) -> Void
    /// Raised when there is no more to serve, or when that is asked for.
    private let ending: OneWayFlag

    /// - Parameter say: hears what happens meanwhile, a line at a time, from several threads.
    package init(
        _ request: MountRequest, _ directory: ServiceDirectory, say: @escaping @Sendable (String) -> Void
    ) throws {
        ending = try OneWayFlag()
        self.request = request
        self.directory = directory
        self.say = say
    }

    /// Mounts, calls `ready`, serves, unmounts and ends the trace. Returns when the mount is gone; when it throws, it
    /// is gone too.
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
                guard let made = mount.withLock({ $0 }), let trouble = Self.settle(made, reason, cut, say) else {
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

    /// Makes `run` unmount and return, now or once it is mounted. May be called from any thread.
    package func stop() { ending.raise() }

    /// A mount that a killed process left at the same place is taken away; what it left in the backing directory goes
    /// when that is mounted.
    private func recover() throws(MountError) {
        for entry in try MountTable.read().reversed()
        where entry.isFaultFS && entry.mountPoint == request.mountPoint && entry.owner == geteuid() {
            // One that is served, by whatever process in whatever namespace, stays: mounting over it is refused.
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

    /// Refuses an oracle that is the trace, which exists by now, by whatever name; and a file that is no oracle, which
    /// lines would spoil.
    private func checkOracle() throws {
        guard let oracle = request.oracle else { return }
        var (status, other) = (stat(), stat())
        guard oracle.withCString({ stat($0, &status) }) == 0 else { return }
        if case .file(let trace) = request.recording, trace.withCString({ stat($0, &other) }) == 0,
            status.st_dev == other.st_dev && status.st_ino == other.st_ino
        {
            throw OutputError(oracle, .isOutputTwice)
        }
        // What else it may be is refused where it is opened.
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

    /// Nothing was mounted: the trace that would have been is not worth keeping, and would be in the way.
    private func removeTrace() {
        if case .file(let path) = request.recording { _ = path.withCString { unlink($0) } }
    }

    /// Leaves the crash state, unless a command does that itself. Answers what went wrong.
    private static func settle(
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

/// What went wrong with a mount beside mounting.
package enum MountServiceError: Error, Hashable, Sendable {
    /// The power went, and the backing directory is not one of the states that a crash leaves.
    case cutFailed(String)
    /// The process that was to serve ended before the mount was ready.
    case notReady(String)
    case notOurs(ByteString)
    /// Lines of an oracle were to be appended to a file of another kind.
    case notAnOracle(ByteString, reason: String)
    /// Nobody knows whether somebody serves it.
    case cannotAsk(ByteString, reason: String)
    /// The process that serves did not end in time.
    case lingers(process: Int32, seconds: Int)
    /// It said this when it ended.
    case endedBadly(String)
    case system(call: String, path: ByteString, errno: Int32)
}

extension MountServiceError {
    /// Makes a failure in `body` one of `call`.
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
            "\(path): cannot be unmounted, for nobody knows whether it is served: \(reason)"
        case .lingers(let process, let seconds):
            "process \(process), which serves the mount, did not end within \(seconds) s; `kill -9 \(process)` and "
                + "`faultline cleanup` take it away"
        case .endedBadly(let log): "the mount is gone, but its process was not content:\n\(log)"
        case .system(let call, let path, let errno): "\(path): \(call): \(Errno(errno))"
        }
    }
}
