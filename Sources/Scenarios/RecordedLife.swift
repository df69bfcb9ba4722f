import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// One life of a built-in store, at work in this process on storage in memory that records it. The same request gives
/// the same recording, byte for byte.
struct RecordedLife {
    let recording: Recording
    /// The oracle's lines.
    let oracle: [UInt8]

    /// - Parameter rules: faults of the storage; at least one must fire, and the store may then refuse to go on.
    init(
        rules: [Rule] = [], seed: UInt64, _ work: (any Storage, any OracleSink) throws -> Void
    ) throws {
        let recorder = try RecordingStorage(MemoryStorage())
        let sink = RecordedOracle(recorder)
        let faulty = FaultyStorage(recorder, RuleSet(rules, seed: seed)) { _ in }
        do {
            if rules.isEmpty { try work(recorder, sink) } else { try work(faulty, sink) }
        } catch {
            guard !faulty.injected.isEmpty else {
                throw RunError.harness("the workload fails without any fault: \(error)")
            }
        }
        guard rules.isEmpty || !faulty.injected.isEmpty else {
            throw RunError.inconclusive("no rule fired: the recorded run met no fault")
        }
        oracle = sink.text
        recording = Recording(base: recorder.base, events: recorder.events, payloads: recorder.payloads)
    }

    /// Keeps the trace and the oracle in the run's directory, as those of a life on a mount are.
    func keep(in context: RunContext) throws {
        try OutputFile.append(oracle, to: context.oracle)
        try recording.write(firstEvents: recording.events.count, to: context.file("recorded.trace"))
    }
}

/// Puts each line of the oracle into the trace, at its place among the operations.
private final class RecordedOracle: OracleSink {
    private let recorder: RecordingStorage
    private let lines = Mutex<[UInt8]>([])

    init(_ recorder: RecordingStorage) { self.recorder = recorder }

    var text: [UInt8] { lines.withLock { $0 } }

    func append(_ line: OracleLine) {
        let bytes = line.encoded
        lines.withLock { lines in
            lines += bytes
            recorder.record(oracle: Array(bytes.dropLast()))
        }
    }
}
