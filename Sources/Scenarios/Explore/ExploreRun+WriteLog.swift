import Block
import Bytes
import Exploration
import Machine
import Platform
import Runs

extension ExploreRun {
    /// Records one run of the store on a real filesystem, whose device dm-log-writes logs, and makes a trace of the log.
    func recordWriteLog(_ block: BlockSetup) throws -> Recording {
        let (place, mountPoint) = (context.scratchFile("device"), context.scratchFile("filesystem"))
        for directory in [place, mountPoint] { try RunFiles.makeDirectory(directory) }
        let disk = place.appending(component: ImageRecovery.diskName)
        let size = block.filesystem.sizeBytes
        try FreshFilesystem.make(
            block.filesystem, at: disk, in: context.scratch, mountPoint: mountPoint,
            sectorBytes: UInt32(block.sectorBytes),
            fill: { [scenario, target = request.target] in if !scenario.includesInit { try target.initialise($0) } })
        let trace = context.file("recorded.trace")
        var conversion = try WriteLogImport(creating: trace)
        try conversion.appendBase(sizeBytes: size, image: disk)
        let loop = try LoopDevice(disk, in: place, blockBytes: UInt32(block.sectorBytes), isDirect: false)
        defer { loop.release() }
        // The name of the scratch directory says whose the device is.
        let owner = context.scratch.bytes.split(separator: UInt8(ascii: "/")).last ?? []
        let device = try LogWritesDevice(
            named: "\(String(decoding: owner, as: UTF8.self))-log", over: loop, sizeBytes: size,
            sectorBytes: UInt32(block.sectorBytes), in: place)
        defer { device.remove() }
        let workload = DeviceWorkload(
            request: request, context: context, filesystem: block.filesystem, mountPoint: mountPoint,
            oracle: context.oracle)
        let end = try workload.run(
            on: device.device, runsInit: scenario.includesInit,
            mark: { number throws(Errno) in try device.mark(oracleLine: number) })
        guard end.termination.isSuccess else {
            try context.requireRoom("recording the device of \(block.filesystem.rawValue)")
            throw RunError.failedWithoutFault(end, wroteLines: RunFiles.size(of: context.oracle) == 0 ? 0 : 1)
        }
        try device.end()
        var lines: [[UInt8]] = []
        try RunFiles.forEachLine(of: context.oracle) { lines.append($0) }
        try conversion.appendEvents(of: WriteLogReader(device.logFile), sizeBytes: size, oracle: lines)
        try conversion.finish()
        try RunFiles.remove(device.logFile)
        var recording = try Recording(tracePath: trace, context.memory)
        recording.sectorBytes = block.sectorBytes
        return recording
    }
}
