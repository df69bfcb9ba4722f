import Block
import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Runs
import Targets

extension ExploreRun {
    /// Records one run of the store on a real filesystem, whose device is a file on a FaultFS mount. The trace has the
    /// sector writes and flushes of the device, and the oracle lines in their order.
    func recordBlockDevice(_ block: BlockSetup) throws -> LiveCycle.Outcome {
        let backing = context.scratchFile("store")
        let filesystemPoint = context.scratchFile("filesystem")
        for directory in [backing, filesystemPoint] { try RunFiles.makeDirectory(directory) }
        try context.willMount(filesystemPoint)
        try FreshFilesystem.make(
            block.filesystem, at: backing.appending(component: ImageRecovery.diskName), in: context.scratch,
            mountPoint: filesystemPoint, sectorBytes: UInt32(block.sectorBytes))
        var options = MountOptions()
        options.oraclePath = context.oracle
        options.rules = scenario.rules
        options.profile = .block
        options.seed = request.seed
        let place = RecordedMount(
            context: context, backing: backing, mountPoint: context.scratchFile("mount"),
            trace: context.file("recorded.trace"))
        var (recording, end) = try place.record(options) { mount in
            let done = try work(on: block, at: filesystemPoint, device: place.mountPoint)
            return (done: done, fault: mount.injectedFaults.last)
        }
        try context.didUnmount(filesystemPoint)
        recording.sectorBytes = block.sectorBytes
        let fault = end.fault
        guard fault != nil || scenario.rules.isEmpty else {
            throw RunError.noRuleFired
        }
        guard end.done.termination.isSuccess || fault != nil else {
            throw RunError.failedWithoutFault(
                end.done, wroteLines: recording.oracleLines.count)
        }
        return LiveCycle.Outcome(
            life: LiveCycle.Life(recording: recording, cut: nil, fault: fault), end: end.done)
    }

    /// Mounts the filesystem, runs the workload in it, and unmounts.
    private func work(
        on block: BlockSetup, at mountPoint: ByteString, device: ByteString
    ) throws -> WorkloadEnd {
        let loop = try LoopDevice(
            device.appending(component: ImageRecovery.diskName), in: context.scratch,
            blockBytes: UInt32(block.sectorBytes), isDirect: true)
        let mount = try ServedMount(loop, block.filesystem, at: mountPoint)
        do {
            let environment = request.environment(
                mountPoint.appending(component: FreshFilesystem.storeName),
                oracle: device.appending(component: ".faultline/oracle"), firstSeq: 1)
            let run = try WorkloadRun(request.target, environment)
            guard let termination = try run.finish(watching: context.oracle, shouldStop: context.shouldStop) else {
                throw RunError.interrupted
            }
            try mount.end()
            return WorkloadEnd(termination, errorOutput: run.errorOutput)
        } catch {
            mount.detach()
            throw error
        }
    }
}
