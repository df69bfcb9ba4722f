import ArgumentParser
import Bytes
import Machine
import Report
import Runs
import Scenarios
import Targets

struct WorkloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workload",
        abstract: "Runs a target's workload and writes the oracle; the faults, if any, are yours.",
        discussion: """
              faultline workload --target sqlite --work-dir /mnt/under-test/db --oracle /var/tmp/oracle --ops 100000
              … pull the plug, kill it, break the disk; then
              faultline validate --target sqlite --work-dir /mnt/under-test/db --oracle /var/tmp/oracle

            Each line of the oracle is on disk before the store is asked for the next thing, so it must not lie on the \
            storage under test. An oracle that is there is continued. Exits with 0 when all was done, 1 when the store \
            refused, 2 when the workload could not do its work.
            """)

    @Option(help: "A target's name, or the path of a manifest.")
    var target: String

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "The directory to store in, made if need be; a store in it is continued.")
    var workDir: ByteString

    @Option(help: "The file to write the oracle to.")
    var oracle: ByteString

    @Option(help: "The same seed does the same, byte for byte, in each client thread.")
    var seed: UInt64 = 1

    @Option(help: "How many operations.")
    var ops: UInt64?

    @Option(help: "After this time, such as 60s or 10m, nothing more is begun.")
    var duration: TimeSpan?

    @Option(help: "About how many different keys.")
    var keys: UInt64 = 4096

    @Option(help: "Bytes of a key, 1 to 512 (default: as short as can be).")
    var keyLen: Int?

    @Option(help: "Bytes of a value, 1 to 65536 (default: a mix of sizes).")
    var valueLen: Int?

    @Option(help: "Operations in one atomic batch.")
    var batch = 1

    @Option(help: "Client threads.")
    var threads = 1

    @Flag(help: "Allow the oracle on the filesystem of the store: nothing but the process is going to fail.")
    var allowSameFilesystem = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard ops != nil || duration != nil else { throw ValidationError("give --ops, --duration, or both") }
        func check(_ value: Int?, _ range: ClosedRange<Int>, _ name: String) throws {
            if let value, !range.contains(value) {
                throw ValidationError("--\(name) must be from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try check(keyLen, WorkloadShape.keyRange, "key-len")
        try check(valueLen, WorkloadShape.valueRange, "value-len")
        try check(batch, WorkloadShape.batchRange, "batch")
        try check(threads, WorkloadShape.threadRange, "threads")
        guard (1...(1 << 62)).contains(ops ?? 1) else { throw ValidationError("--ops must be from 1 to 2^62") }
        guard (1...1_000_000_000).contains(keys) else { throw ValidationError("--keys must be from 1 to 1000000000") }
    }

    func run() throws {
        var shape = WorkloadShape()
        (shape.keyCount, shape.keyBytes, shape.valueBytes) = (keys, keyLen, valueLen)
        (shape.batchCount, shape.threadCount, shape.durationSeconds) = (batch, threads, duration?.seconds)
        let workload = StandaloneWorkload(
            target: try TargetCatalog.besideThisProgram().target(target).configured(settings), directory: workDir,
            oracle: oracle, seed: seed, operationCount: ops, shape: shape, mayShareFilesystem: allowSameFilesystem)
        let outcome = try Interruption.shared.awaiting {
            try workload.run { Interruption.shared.isInterrupted }
        }
        Interruption.shared.waitIfInterrupted()
        if json {
            try StandardOutput.show(outcome, .object)
        } else {
            let rate = Int(Double(outcome.acknowledged) / max(outcome.seconds, 1e-9))
            StandardOutput.show(
                "\(outcome.ending): \(outcome.acknowledged.counted("operation")) acknowledged from seq "
                    + "\(outcome.firstSeq) on, \(rate) a second"
            )
            if !outcome.said.isEmpty { StandardError.say("faultline: the workload: \(outcome.said)") }
        }
        throw outcome.ending == "done" ? ExitStatus.pass : outcome.ending == "refused" ? .violation : .error
    }
}
