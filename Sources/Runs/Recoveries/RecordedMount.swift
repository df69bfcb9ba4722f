import Bytes
import Exploration
import FaultFS
import Machine
import Oracle
import Storage
import Targets

/// Mounts a directory temporarily and records every operation on it.
package struct RecordedMount {
    package let context: RunContext
    package let backing: ByteString
    /// Created for the mount and removed after it.
    package let mountPoint: ByteString
    /// The trace file.
    package let trace: ByteString
    /// The target whose `ignore` applies to the recording; nil for none.
    private let target: ConfiguredTarget?

    package init(
        context: RunContext, backing: ByteString, mountPoint: ByteString, trace: ByteString,
        target: ConfiguredTarget? = nil
    ) {
        self.target = target
        self.context = context
        self.backing = backing
        self.mountPoint = mountPoint
        self.trace = trace
    }

    /// Mounts, runs `body`, and unmounts if `body` did not. Syncs are not forwarded to the backing directory: real
    /// durability is not needed.
    ///
    /// - Parameter options: the mount options; the trace is added here. Appended oracle lines are validated by default.
    package func record<Result>(
        _ options: MountOptions, _ body: (FaultMount) throws -> Result
    ) throws -> (recording: Recording, result: Result) {
        let file = try FileTrace(creating: trace)
        try RunFiles.makeDirectory(mountPoint)
        defer { try? TreeRemoval.remove(mountPoint) }
        var options = options
        options.trace = file
        options.allowOther = target?.target.user != nil
        options.syncsBelow = false
        options.judgeOracleLine = options.judgeOracleLine ?? OracleLine.judge
        let mount = try FaultMount(backing: backing, mountPoint: mountPoint, options: options)
        try context.willMount(mountPoint)
        try mount.start()
        defer { try? mount.unmount() }
        let result = try body(mount)
        try RunError.checkOracle(of: mount)
        try mount.unmount()
        try context.didUnmount(mountPoint)
        try file.finish()
        var recording = try Recording(tracePath: trace, context.memory)
        recording.ignoreFiles(of: target)
        return (recording, result)
    }
}
