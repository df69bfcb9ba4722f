import Bytes
import Glibc
import Machine
import Oracle
import Platform
import Storage
import Targets

/// Runs a workload alone. Faults, if any, come from outside.
package struct StandaloneWorkload: Sendable {
    package var target: ConfiguredTarget
    package var directory: ByteString
    package var oracle: ByteString
    package var seed: UInt64
    /// The number of operations; nil to run for the duration of `shape`.
    package var operationCount: UInt64?
    package var shape: WorkloadShape
    package var mayShareFilesystem: Bool

    package init(
        target: ConfiguredTarget, directory: ByteString, oracle: ByteString, seed: UInt64, operationCount: UInt64?,
        shape: WorkloadShape, mayShareFilesystem: Bool
    ) {
        self.target = target
        self.directory = directory
        self.oracle = oracle
        self.seed = seed
        self.operationCount = operationCount
        self.shape = shape
        self.mayShareFilesystem = mayShareFilesystem
    }

    package struct Outcome: Sendable, Encodable {
        /// `done`, `refused` (by the store), `failed` (the driver), or `hung`.
        package var ending: String
        /// The workload's standard error output.
        package var said: String
        package var acknowledged: Int
        package var firstSeq: UInt64
        package var seconds: Double
    }

    /// Runs the workload to its end. Continues an existing oracle: appends a restart line and continues the sequence
    /// numbers. Creates a missing directory, and removes it again (if empty) on an error. With an existing oracle,
    /// throws `MissingStore` if the directory is missing.
    package func run(shouldStop: () -> Bool) throws -> Outcome {
        let continues = RunFiles.size(of: oracle) > 0
        if continues, directory.withCString({ access($0, F_OK) }) != 0, errno == ENOENT {
            throw MissingStore(directory: directory, oracle: oracle)
        }
        let directories = continues ? nil : try NewDirectories(making: directory)
        do { return try runThere(shouldStop) } catch {
            directories?.removeEmpty()
            throw error
        }
    }

    private func runThere(_ shouldStop: () -> Bool) throws -> Outcome {
        try OracleFile.check(path: oracle, storage: directory, mayShareFilesystem: mayShareFilesystem)
        let next = try continueOracle()
        if next == 1, TreeListing.paths(beneath: directory).isEmpty { try target.initialise(directory) }
        let environment = WorkloadEnvironment(
            directory: directory, oracle: oracle, seed: seed, operationCount: operationCount ?? 1 << 62,
            firstSeq: next, oracleMayShareFilesystem: mayShareFilesystem, shape: shape)
        var watch = OracleWatch(oracle, from: RunFiles.size(of: oracle))
        let began = MonotonicTime.seconds()
        let workload = try WorkloadRun(target, environment)
        guard let termination = try workload.finish(watching: oracle, shouldStop: shouldStop) else {
            throw RunError.interrupted
        }
        watch.poll()
        let ending =
            switch termination {
            case .exited(0): "done"
            case .exited(1): "refused"
            case .timedOut: "hung"
            default: "failed"
            }
        let said = [
            workload.errorOutput, ending == "failed" ? "it \(termination)" : "",
        ]
        return Outcome(
            ending: ending, said: said.filter { !$0.isEmpty }.joined(separator: "; "),
            acknowledged: watch.acknowledged, firstSeq: next, seconds: MonotonicTime.seconds() - began)
    }

    /// Appends a restart line to an existing oracle. Returns the sequence number of the first operation.
    private func continueOracle() throws -> UInt64 {
        guard RunFiles.size(of: oracle) > 0 else { return 1 }
        var (reader, last, lastByte) = (OracleReader(), UInt64(0), UInt8?.none)
        func note(_ line: OracleLine) { last = max(last, line.operation?.seq ?? 0) }
        do {
            try RunFiles.forEachChunk(of: oracle) { chunk in
                lastByte = chunk.last ?? lastByte
                try reader.read(chunk.span) { line, _ throws(OracleError) in note(line) }
            }
            try reader.finish { line, _ throws(OracleError) in note(line) }
        } catch let error as OracleError {
            throw OracleDamage(path: oracle, error: error)
        }
        try OutputFile.append(OracleLine.restartText(after: lastByte), to: oracle)
        // A torn line may be the begin line of the next number.
        return last + 1
    }
}

/// An existing oracle describes a store that is missing.
package struct MissingStore: Error, CustomStringConvertible {
    package var directory: ByteString
    package var oracle: ByteString

    package var description: String {
        """
        \(directory): No such file or directory, but the oracle \(oracle) describes a store: give the --work-dir of that \
        store to continue it, or an --oracle that does not exist yet to begin a new one
        """
    }
}
