import Block
import Bytes
import Exploration
import Glibc
import Machine
import Platform
import Runs
import Storage
import Targets

/// In the guest: makes a filesystem on the disk, runs the workload on it, and waits for the power to go.
struct PowerOffWorkload: ScenarioRun {
    let tally = RunTally()
    private let filesystem: BlockFilesystem
    private let request: RunRequest
    private let context: RunContext
    private let serial: String

    init(_ filesystem: BlockFilesystem, _ request: RunRequest, _ context: RunContext, serial: String) {
        (self.filesystem, self.request, self.context, self.serial) = (filesystem, request, context, serial)
    }

    func run() throws {
        let mountPoint = context.scratchFile("filesystem")
        try RunFiles.makeDirectory(mountPoint)
        let disk = try LoggedDisk(serial: serial, sizeBytes: filesystem.sizeBytes)
        let owner = context.scratch.bytes.split(separator: UInt8(ascii: "/")).last ?? []
        let part = try disk.filesystemPart(named: "\(String(decoding: owner, as: UTF8.self))-disk")
        defer { part.remove() }
        try disk.makeFilesystem(filesystem, sectorBytes: 4096, on: part)
        try FreshFilesystem.makeStore(on: part, filesystem, at: mountPoint) { try request.target.initialise($0) }
        try part.flush()
        try disk.mark(PowerOffGuest.beginMark)
        let workload = DeviceWorkload(
            request: request, context: context, filesystem: filesystem, mountPoint: mountPoint,
            oracle: PowerOffGuest.oracle)
        let end = try workload.run(
            on: part, runsInit: false,
            mark: { number throws(Errno) in try disk.mark("\(WriteLogImport.oracleMark)\(number)") },
            afterwards: { end in
                guard end.termination.isSuccess else {
                    throw RunError.failedWithoutFault(
                        end, wroteLines: RunFiles.size(of: PowerOffGuest.oracle) == 0 ? 0 : 1)
                }
                // The power goes while the filesystem is mounted.
                while !context.shouldStop() { usleep(100_000) }
            })
        throw RunError.harness("the power did not go: the workload \(end.termination)")
    }
}
