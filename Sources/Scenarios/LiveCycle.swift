import Bytes
import Exploration
import FaultFS
import Glibc
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// One life of a store on a mount: mounted, at work, perhaps without power at some point, unmounted.
struct LiveCycle {
    /// How it went.
    struct Outcome {
        var recording: Recording
        /// The power cut, if the power went before the workload had ended.
        var cut: PowerCut?
        /// How the workload ended.
        var termination: Termination
        /// What the workload said on its standard error.
        var complaints: ByteString
    }

    let request: RunRequest
    let context: RunContext
    /// Where the store's files are.
    let backing: ByteString
    /// Where the oracle's lines are kept.
    let oracle: ByteString

    /// Runs the workload once. With a crash point the power goes there: everything that runs is killed, and the state
    /// that `choice` asks for is left behind. Without one, or if the workload ends before it, everything is kept.
    func run(named name: String, firstSeq: UInt64, crash: (point: CrashPoint, choice: Choice)?) throws -> Outcome {
        let path = context.file("\(name).trace")
        let trace = try FileTrace(creating: path)
        let mountPoint = context.scratchFile("mount")
        try RunFiles.makeDirectory(mountPoint)
        defer { try? TreeRemoval.remove(mountPoint) }
        let workload = Workload()
        var options = MountOptions()
        options.trace = trace
        options.oraclePath = oracle
        options.crashPoint = crash?.point
        options.profile = request.profile
        options.syncsBelow = false
        options.onFreeze = { _ in workload.kill() }
        let mount = try FaultMount(backing: backing, mountPoint: mountPoint, options: options)
        try context.willMount(mountPoint)
        try mount.start()
        defer { try? mount.unmount() }
        let termination = try workload.run(
            request, mountPoint, firstSeq: firstSeq, oracle: oracle, context.shouldStop)
        var cut: PowerCut?
        if mount.isFrozen, let crash {
            cut = try mount.cutPower(request.profile, crash.choice)
        } else {
            try mount.unmount()
        }
        try context.didUnmount(mountPoint)
        try trace.finish()
        return Outcome(
            recording: try Recording(tracePath: path), cut: cut, termination: termination,
            complaints: workload.complaints)
    }
}

/// The workload's process, which the end of the power may kill before it is known to have begun.
private final class Workload: Sendable {
    private struct State {
        var run: WorkloadRun?
        var isPowerGone = false
    }
    private let state = Mutex(State())

    var complaints: ByteString { state.withLock { $0.run?.complaints ?? "" } }

    /// Kills the process group now, or as soon as there is one.
    func kill() {
        let run = state.withLock { state in
            state.isPowerGone = true
            return state.run
        }
        _ = try? run?.kill()
    }

    func run(
        _ request: RunRequest, _ mountPoint: ByteString, firstSeq: UInt64, oracle: ByteString,
        _ shouldStop: @Sendable () -> Bool
    ) throws -> Termination {
        let environment = WorkloadEnvironment(
            directory: mountPoint, oracle: mountPoint.appending(component: ".faultline/oracle"), seed: request.seed,
            operationCount: request.operationCount, firstSeq: firstSeq, shape: request.shape)
        let run = try WorkloadRun(request.target, environment)
        let isPowerGone = state.withLock { state in
            state.run = run
            return state.isPowerGone
        }
        if isPowerGone { return try run.kill() }
        guard let termination = try run.finish(watching: oracle, shouldStop: shouldStop) else {
            throw RunError.interrupted
        }
        return termination
    }
}
