import Bytes
import Machine
import Oracle
import Platform
import Runs
import Storage
import Targets

/// The overhead of the workload driver per operation: generating it, writing both its oracle lines, and counting
/// acknowledgements. The same operations on the same store, in this process and without an oracle, are measured
/// alternately and subtracted.
package struct WorkloadBenchmark {
    private let target: ConfiguredTarget
    private let store: BuiltInStore
    private let directory: ByteString
    private let rounds: Int
    private let operationCount: UInt64
    private static let valueBytes = 1024
    private static let aimMicroseconds = 20.0

    /// - Parameter directory: an existing empty directory, preferably in memory: on a disk, each oracle line costs a
    ///   sync.
    package init(targets: TargetCatalog, directory: ByteString, rounds: Int, operationCount: UInt64) throws {
        target = try targets.target("engine").configured([Setting(name: "compact_every", value: "0")])
        guard let store = target.builtInStore else { throw RunError.harness("the target engine is not built in") }
        self.store = store
        self.directory = directory
        self.rounds = rounds
        self.operationCount = operationCount
    }

    /// The best of the rounds, because disturbances only add time.
    package func rows() throws -> [BenchmarkRow] {
        var (whole, own) = (Double.infinity, Double.infinity)
        for _ in 0..<rounds {
            own = min(own, try inFreshDirectory(ownWork))
            whole = min(whole, try inFreshDirectory(drivenWork))
        }
        return [
            BenchmarkRow(
                name: "workload driver beyond the store's own work, an operation with 1 KiB", value: whole - own,
                unit: "us", baseline: "the same operations without an oracle, in this process", baselineValue: own,
                aim: .atMost(Self.aimMicroseconds))
        ]
    }

    private var shape: WorkloadShape {
        var shape = WorkloadShape()
        shape.valueBytes = Self.valueBytes
        return shape
    }

    /// Runs the workload as `faultline workload` does. Returns the microseconds per operation.
    private func drivenWork(_ store: ByteString) throws -> Double {
        let workload = StandaloneWorkload(
            target: target, directory: store, oracle: directory.appending(component: "oracle"), seed: 1,
            operationCount: operationCount, shape: shape, mayShareFilesystem: true)
        let outcome = try workload.run { Interruption.shared.isInterrupted }
        try RunFiles.remove(workload.oracle)
        guard outcome.ending == "done", outcome.acknowledged == Int(operationCount) else {
            throw RunError.harness(
                "the benchmark's workload: \(outcome.ending), \(outcome.acknowledged) of \(operationCount) acknowledged: "
                    + outcome.said)
        }
        return outcome.seconds / Double(operationCount) * 1e6
    }

    private func ownWork(_ directory: ByteString) throws -> Double {
        let workload = Workload(seed: 1, shape: shape, operationCount: operationCount)
        let began = MonotonicTime.seconds()
        try store.run(workload, on: PosixStorage(directory: directory), oracle: NoOracle())
        return (MonotonicTime.seconds() - began) / Double(operationCount) * 1e6
    }

    private func inFreshDirectory(_ measure: (ByteString) throws -> Double) throws -> Double {
        if Interruption.shared.isInterrupted { throw RunError.interrupted }
        let store = directory.appending(component: "store")
        try RunFiles.makeDirectory(store)
        defer { try? TreeRemoval.remove(store) }
        return try measure(store)
    }
}

/// Discards every line.
private struct NoOracle: OracleSink {
    func append(_ line: OracleLine) {}
}
