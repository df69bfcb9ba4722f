import Bytes
import Exploration
import FaultFS
import Machine
import Oracle
import Storage

/// A directory that is mounted for a while, with everything that happens in it recorded.
package struct RecordedMount {
    package let context: RunContext
    package let backing: ByteString
    /// Made for the while.
    package let mountPoint: ByteString
    /// Where the trace is written.
    package let trace: ByteString

    package init(context: RunContext, backing: ByteString, mountPoint: ByteString, trace: ByteString) {
        self.context = context
        self.backing = backing
        self.mountPoint = mountPoint
        self.trace = trace
    }

    /// Mounts, lets `body` work there, and unmounts if `body` did not. Syncs are not passed on below: no crash of the
    /// machine is waited for.
    ///
    /// - Parameter options: all but the trace. Lines of the oracle are judged as such unless they say otherwise.
    package func record<Result>(
        _ options: MountOptions, _ body: (FaultMount) throws -> Result
    ) throws -> (recording: Recording, result: Result) {
        let file = try FileTrace(creating: trace)
        try RunFiles.makeDirectory(mountPoint)
        defer { try? TreeRemoval.remove(mountPoint) }
        var options = options
        options.trace = file
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
        return (try Recording(tracePath: trace, context.memory), result)
    }
}
