import Block
import Bytes
import Foundation
import Glibc
import Guest
import Machine
import Model
import Runs
import Storage

/// On the host: starts a guest with a disk whose writes are logged, kills it in the middle of the workload, and makes a
/// trace of the log.
struct PowerOffRecorder {
    let request: RunRequest
    let filesystem: BlockFilesystem
    let machine: GuestMachine
    /// An empty directory of this run.
    let place: ByteString
    let shouldStop: () -> Bool

    /// What was recorded.
    struct Recorded {
        var trace: ByteString
        var outcome: GuestOutcome
    }

    /// The log is sparse.
    private static let logBytes: UInt64 = 64 << 30

    /// The power goes after so many acknowledgements, drawn from the seed: after the first one at the earliest.
    private var acknowledgement: Int {
        var stream = RandomStream(seed: request.seed).stream("power-off")
        return 1 + Int(stream.next(upperBound: max(1, request.operationCount - 1)))
    }

    func record() throws -> Recorded {
        let (disk, log) = (place.appending(component: "disk"), place.appending(component: "log"))
        let sizeBytes = filesystem.sizeBytes
        try LoggedDisk.makeFile(disk, sizeBytes: sizeBytes + LoggedDisk.markBytes)
        try LoggedDisk.makeFile(log, sizeBytes: Self.logBytes)
        var machine = machine
        machine.disks = [GuestDisk(file: disk, log: log, serial: PowerOffGuest.serial)]
        let guest = place.appending(component: "guest")
        try RunFiles.makeDirectory(guest)
        let (outcome, said, oracle) = try run(machine, guest)
        guard case .stopped = outcome.ending, !shouldStop() else {
            if shouldStop() { throw RunError.interrupted }
            throw RunError.harness("the guest's workload came to no power cut: \(outcome.ending)" + said)
        }
        var lines: [[UInt8]] = []
        try RunFiles.forEachLine(of: oracle) { lines.append($0) }
        let trace = place.appending(component: "recorded.trace")
        var conversion = try WriteLogImport(creating: trace, marksAt: sizeBytes)
        let reader = try WriteLogReader(log)
        try conversion.appendBase(sizeBytes: sizeBytes, before: PowerOffGuest.beginMark, of: reader)
        try conversion.appendEvents(of: reader, sizeBytes: sizeBytes, oracle: lines)
        try conversion.finish()
        for file in [disk, log] { try RunFiles.remove(file) }
        return Recorded(trace: trace, outcome: outcome)
    }

    /// Runs the workload until so many operations are acknowledged.
    private func run(
        _ machine: GuestMachine, _ directory: ByteString
    ) throws -> (GuestOutcome, said: String, oracle: ByteString) {
        var output: [UInt8] = []
        switch try machine.start(in: directory, shouldStop: shouldStop) {
        case .failed(let outcome): return (outcome, "", "")
        case .up(let session):
            defer { session.end() }
            let oracle = session.sharedFile(PowerOffGuest.oracleName)
            let count = acknowledgement
            var watch = OracleWatch(oracle, from: 0)
            var task = try GuestRun.task(request)
            task.environment[PowerOffGuest.diskVariable] = ByteString(PowerOffGuest.serial)
            let outcome = try session.run(
                task,
                shouldStop: {
                    watch.poll()
                    return watch.acknowledged >= count || shouldStop()
                }, output: { if $0 == .output { output += $1.prefix(max(0, Self.keptBytes - output.count)) } })
            return (outcome, Self.reason(output), oracle)
        }
    }

    private static let keptBytes = 1 << 20

    /// Why the guest's part gave up.
    private static func reason(_ output: [UInt8]) -> String {
        let result = try? JSONDecoder().decode(RunResult.self, from: Data(output))
        return result?.reason.map { ": \($0)" } ?? ""
    }
}
