import Block
import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Oracle
import Platform
import Runs
import Targets

extension ExploreRun {
    /// Records one run of the store on a real filesystem, whose device is a file on a FaultFS mount. The trace has the
    /// sector writes and flushes of the device, and the oracle lines in their order.
    mutating func recordBlockDevice(_ block: BlockSetup) throws -> LiveCycle.Outcome {
        let backing = context.scratchFile("store")
        let filesystemPoint = context.scratchFile("filesystem")
        for directory in [backing, filesystemPoint] { try RunFiles.makeDirectory(directory) }
        try context.willMount(filesystemPoint)
        try FreshFilesystem.make(
            block.filesystem, at: backing.appending(component: ImageRecovery.diskName), in: context.scratch,
            mountPoint: filesystemPoint, sectorBytes: UInt32(block.sectorBytes),
            fill: { [scenario, target = request.target] in if !scenario.includesInit { try target.initialise($0) } })
        var options = MountOptions()
        options.oraclePath = context.oracle
        options.rules = scenario.rules
        options.profile = .block
        options.seed = request.seed
        let place = RecordedMount(
            context: context, backing: backing, mountPoint: context.scratchFile("mount"),
            trace: context.file("recorded.trace"))
        var reaction: FilesystemReaction?
        var (recording, end) = try place.record(options) { mount in
            do {
                let done = try work(on: block, at: filesystemPoint, device: place.mountPoint, &reaction)
                return (done: done, fault: mount.injectedFaults.last)
            } catch let refusal as ServedMount.Refusal where !mount.injectedFaults.isEmpty {
                device.reaction = refusal.reaction
                throw RunError.filesystemRefusesToMount(block.filesystem.rawValue, refusal.reaction)
            }
        }
        try context.didUnmount(filesystemPoint)
        recording.sectorBytes = block.sectorBytes
        let fault = end.fault
        if let reaction, fault != nil || reaction.isTrouble { device.reaction = reaction }
        guard fault != nil || scenario.rules.isEmpty else {
            throw RunError.noRuleFired
        }
        // A full disk below the device is an I/O error for the filesystem.
        if fault == nil { try context.requireRoom("recording the device of \(block.filesystem.rawValue)") }
        if fault == nil, let reaction, reaction.hasFailed {
            throw RunError.filesystemFailedWithoutFault(block.filesystem.rawValue, reaction)
        }
        guard end.done.termination.isSuccess || fault != nil else {
            throw RunError.failedWithoutFault(
                end.done, wroteLines: recording.oracleLines.count)
        }
        return LiveCycle.Outcome(
            life: LiveCycle.Life(recording: recording, cut: nil, fault: fault), end: end.done)
    }

    /// Mounts the filesystem, runs the workload in it, and unmounts.
    ///
    /// - Parameter reaction: what became of the filesystem until the workload had ended, and while it was unmounted.
    private func work(
        on block: BlockSetup, at mountPoint: ByteString, device: ByteString, _ reaction: inout FilesystemReaction?
    ) throws -> WorkloadEnd {
        let loop = try LoopDevice(
            device.appending(component: ImageRecovery.diskName), in: context.scratch,
            blockBytes: UInt32(block.sectorBytes), isDirect: true)
        let mount = ServedMount(loop, block.filesystem, at: mountPoint)
        try mount.mount()
        do {
            if scenario.includesInit {
                try request.target.initialise(mountPoint.appending(component: FreshFilesystem.storeName))
            }
            let environment = request.environment(
                mountPoint.appending(component: FreshFilesystem.storeName),
                oracle: device.appending(component: ".faultline/oracle"), firstSeq: 1)
            let writeback = isWrittenBack(block) ? PeriodicWriteback(of: loop.path) : nil
            let (run, termination) = try runWorkload(environment, writeback)
            reaction = try mount.reaction()
            let complaint = try mount.end()
            reaction?.unmountComplaint = complaint
            return WorkloadEnd(termination, errorOutput: run.errorOutput)
        } catch {
            mount.detach()
            throw error
        }
    }

    /// Runs the workload to its end.
    private func runWorkload(
        _ environment: WorkloadEnvironment, _ writeback: PeriodicWriteback?
    ) throws -> (WorkloadRun, Termination) {
        defer { writeback?.stop() }
        let run = try WorkloadRun(request.target, environment)
        guard let termination = try run.finish(watching: context.oracle, shouldStop: context.shouldStop) else {
            throw RunError.interrupted
        }
        return (run, termination)
    }

    /// Only ext4 keeps its metadata in the device's own cache. Rules count the calls that reach the device: there must be
    /// none whose number depends on the time.
    private func isWrittenBack(_ block: BlockSetup) -> Bool {
        block.filesystem.family == .ext4 && scenario.rules.isEmpty
    }

    /// Explores the same workload without the rules, if the store lost something after a fault of the device and nothing
    /// before it: only what fails here, too, is the store's.
    mutating func exploreWithoutFault() throws {
        guard device.fault != nil, tally.findings.contains(where: \.followsDeviceFault),
            !tally.findings.contains(where: { $0.check != .filesystem })
        else { return }
        var control = scenario
        (control.rules, control.resumed) = ([], nil)
        if let limit = scenario.budget?.seconds, let began {
            let left = began + Double(limit) - MonotonicTime.seconds()
            guard left >= 1 else {
                device.withoutFault = .init(obstacle: context.wording.words(for: .budgetIsUsedUp))
                return
            }
            control.budget?.seconds = Int(left)
        }
        context.progress("the same workload without the fault")
        var plain = request
        plain.scenario = control
        var run = ExploreRun(
            control, plain, try context.part("without-fault").within("scratch"), program: program)
        run.savesProgress = false
        let outcome = Result { try run.run() }
        tally.findings += run.tally.findings
        device.withoutFault = .init(
            decided: run.tally.counts.decided,
            findings: run.tally.findings.count { $0.check != .filesystem },
            explored: run.tally.coverage.map { RunResult.Explored($0) })
        guard case .failure(let error) = outcome else { return }
        if case RunError.interrupted = error { throw error }
        device.withoutFault?.obstacle = "\(error)"
    }
}

extension RunError {
    /// A fault of the device kept the filesystem from mounting before the workload began.
    fileprivate static func filesystemRefusesToMount(_ name: String, _ reaction: FilesystemReaction) -> RunError {
        .filesystem("after a fault of its device \(name) does not mount, so that the store was not run: \(reaction)")
    }

    /// The filesystem gave up by itself.
    fileprivate static func filesystemFailedWithoutFault(_ name: String, _ reaction: FilesystemReaction) -> RunError {
        .filesystem("while the workload ran, \(name) failed, though no rule fired; it is now \(reaction)")
    }
}
