import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Platform
import Storage
import Targets

/// One life of a built-in store, run in this process on in-memory storage. Its trace and oracle are files, as for a
/// life on a mount. Deterministic: equal arguments give equal recordings, byte for byte.
package struct RecordedLife {
    package let recording: Recording

    /// - Parameters:
    ///   - trace: the trace file to create.
    ///   - oracle: the oracle file to create.
    ///   - rules: storage faults. If there are any, at least one must fire; the work may fail after that.
    package init(
        trace: ByteString, oracle: ByteString, _ memory: MemoryGuard, rules: [Rule] = [], seed: UInt64,
        _ work: (any Storage, any OracleSink) throws -> Void
    ) throws {
        let recorder = try RecordingStorage(MemoryStorage(), writingTo: trace)
        let sink = RecordedOracle(recorder, oracle)
        let faulty = FaultyStorage(recorder, RuleSet(rules, seed: seed)) { _ in }
        do {
            if rules.isEmpty { try work(recorder, sink) } else { try work(faulty, sink) }
        } catch {
            guard !faulty.injected.isEmpty else {
                throw RunError.harness("the workload fails without any fault: \(error)")
            }
        }
        guard rules.isEmpty || !faulty.injected.isEmpty else {
            throw RunError.noRuleFired
        }
        try recorder.finish()
        try sink.finish()
        recording = try Recording(tracePath: trace, memory)
    }
}

/// Writes each oracle line to the trace, in order with the operations, and to the oracle file.
private final class RecordedOracle: OracleSink {
    private let recorder: RecordingStorage
    private let path: ByteString
    private let lines = Guarded<[UInt8]>([])

    /// The buffer size at which lines are written to the file.
    private static let bufferBytes = 1 << 18

    init(_ recorder: RecordingStorage, _ path: ByteString) {
        self.recorder = recorder
        self.path = path
    }

    func append(_ line: OracleLine) throws {
        let bytes = line.encoded
        try lines.withLock { lines in
            lines += bytes
            recorder.record(oracle: Array(bytes.dropLast()))
            if lines.count >= Self.bufferBytes { try write(&lines) }
        }
    }

    /// Writes the buffered lines.
    func finish() throws { try lines.withLock { try write(&$0) } }

    private func write(_ lines: inout [UInt8]) throws {
        try OutputFile.append(lines, to: path)
        lines.removeAll(keepingCapacity: true)
    }
}
