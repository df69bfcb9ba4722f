import Block
import Bytes
import Exploration
import FaultFS
import Machine
import Oracle
import Platform
import Runs
import Targets

/// Runs the workload on a filesystem whose device another program logs, and puts a mark into that log for each oracle line
/// while its writer waits.
struct DeviceWorkload {
    let request: RunRequest
    let context: RunContext
    let filesystem: BlockFilesystem
    /// An empty directory, where the filesystem is mounted.
    let mountPoint: ByteString
    /// Receives the oracle.
    let oracle: ByteString

    /// - Parameters:
    ///   - device: has the filesystem.
    ///   - runsInit: whether to run the target's init command first.
    ///   - mark: puts the place of a line, from 1, into the log.
    ///   - afterwards: is called before anything is unmounted.
    func run(
        on device: some BlockDevice, runsInit: Bool, mark: @escaping @Sendable (Int) throws(Errno) -> Void,
        afterwards: (WorkloadEnd) throws -> Void = { _ in }
    ) throws -> WorkloadEnd {
        let (backing, point) = (context.scratchFile("oracle-files"), context.scratchFile("oracle"))
        for directory in [backing, point] { try RunFiles.makeDirectory(directory) }
        var options = MountOptions()
        options.oraclePath = oracle
        options.judgeOracleLine = OracleLine.judge
        options.willWriteOracleLine = mark
        options.allowOther = request.target.target.user != nil
        options.syncsBelow = false
        let oracles = try FaultMount(backing: backing, mountPoint: point, options: options)
        try context.willMount(point)
        try oracles.start()
        defer { try? oracles.unmount() }
        try context.willMount(mountPoint)
        let mount = try BlockMount(device, filesystem, at: mountPoint)
        let end: WorkloadEnd
        do {
            end = try work(point.appending(component: ".faultline/oracle"), runsInit: runsInit)
            try afterwards(end)
            try RunError.checkOracle(of: oracles)
            try mount.end()
        } catch {
            mount.detach()
            throw error
        }
        try oracles.unmount()
        for place in [mountPoint, point] { try context.didUnmount(place) }
        return end
    }

    private func work(_ oracle: ByteString, runsInit: Bool) throws -> WorkloadEnd {
        let store = mountPoint.appending(component: FreshFilesystem.storeName)
        if runsInit { try request.target.initialise(store) }
        let run = try WorkloadRun(request.target, request.environment(store, oracle: oracle, firstSeq: 1))
        guard let termination = try run.finish(watching: self.oracle, shouldStop: context.shouldStop) else {
            throw RunError.interrupted
        }
        return WorkloadEnd(termination, errorOutput: run.errorOutput)
    }
}
