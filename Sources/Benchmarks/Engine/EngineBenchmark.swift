import Bytes
import Engine
import Foundation
import Glibc
import Machine
import Platform
import Runs
import Storage

/// What the engine costs, each row beside a yardstick that was measured in turn with it, in the same process.
///
/// Rows in memory take the best of their rounds: what disturbs a measurement only makes it longer. Rows that sync take
/// the median of the rounds, because a device is as much of the truth as the program.
package struct EngineBenchmark {
    package let directory: ByteString
    package let rounds: Int
    private let count: Int
    /// The number of syncs of a row that syncs.
    var syncCount: Int { max(1, count / 200) }

    /// `directory` exists, is empty and lies on the filesystem to measure. `count` is the number of records or keys of a
    /// row in memory; rows that sync do a two-hundredth of it.
    package init(directory: ByteString, rounds: Int = 5, count: Int = 100_000) {
        self.directory = directory
        self.rounds = rounds
        self.count = count
    }

    package func rows() throws -> [BenchmarkRow] {
        try appendRows() + [recoveryRow()] + keyValueRows() + durableRows()
    }

    // MARK: In memory

    private func appendRows() throws -> [BenchmarkRow] {
        let payload = [UInt8](repeating: 0xA5, count: 256)
        let checksum = try best {
            var sum: UInt32 = 0
            for _ in 0..<count { sum = CRC32C.checksum(payload, extending: sum) }
            precondition(sum != 1, "the sum is looked at")
        }
        let one = try best {
            let log = try Log.open(storage: MemoryStorage())
            for _ in 0..<count { try log.append(payload) }
            try log.sync()
        }
        let eight = try best {
            let log = try Log.open(storage: MemoryStorage())
            try inParallel(8) { for _ in 0..<count / 8 { try log.append(payload) } }
            try log.sync()
        }
        return [
            BenchmarkRow(
                name: "append of 256 B into memory, open and sync included", value: nanoseconds(one), unit: "ns",
                baseline: "the checksum of 256 B alone", baselineValue: nanoseconds(checksum), aim: .atMost(60)),
            BenchmarkRow(
                name: "the same from 8 threads, in total", value: millionsPerSecond(eight), unit: "M/s",
                baseline: "one thread", baselineValue: millionsPerSecond(one), aim: .ratioAtLeast(0.7)),
            BenchmarkRow(
                name: "the same, absolutely", value: millionsPerSecond(eight), unit: "M/s",
                baseline: "one thread", baselineValue: millionsPerSecond(one), aim: .atLeast(4)),
        ]
    }

    private func recoveryRow() throws -> BenchmarkRow {
        let storage = MemoryStorage()
        let payload = [UInt8](repeating: 0xA5, count: 128)
        let log = try Log.open(storage: storage)
        for _ in 0..<count { try log.append(payload) }
        try log.close()
        let contents = try storage.contents()
        let checksum = try best { for bytes in contents.values { _ = CRC32C.checksum(bytes) } }
        let recovery = try best { try Log.open(storage: storage).close() }
        return BenchmarkRow(
            name: "recovery of records of 128 B", value: millionsPerSecond(recovery), unit: "M/s",
            baseline: "the checksum of the same bytes", baselineValue: millionsPerSecond(checksum), aim: .atLeast(5))
    }

    private func keyValueRows() throws -> [BenchmarkRow] {
        let keys = (0..<count).map { ByteString("key-\($0)") }
        let value = [UInt8](repeating: 0xA5, count: 100)
        var kept: [ByteString: [UInt8]] = [:]
        let set = try best {
            kept = [:]
            for key in keys { kept[key] = value }
        }
        let look = try best { for key in keys { precondition(kept[key] != nil, "it was set") } }
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage)
        let put = try best { for key in keys { try store.put(key, value) } }
        let get = try best { for key in keys { _ = try store.get(key) } }
        try store.compact()
        try store.close()
        let rebuild = try best { try KeyValueStore.open(storage: storage).close() }
        let asked = try best { try KeyValueStore.openAskingHooks(storage: storage).close() }
        let dictionary = "a dictionary of the same keys"
        return [
            BenchmarkRow(
                name: "put of 100 B without a sync", value: nanoseconds(put), unit: "ns", baseline: dictionary,
                baselineValue: nanoseconds(set), aim: .atMost(600)),
            BenchmarkRow(
                name: "get of 100 B", value: nanoseconds(get), unit: "ns", baseline: dictionary,
                baselineValue: nanoseconds(look), aim: .atMost(500)),
            BenchmarkRow(
                name: "open of \(count) keys", value: rebuild * 1000, unit: "ms", baseline: dictionary,
                baselineValue: set * 1000, aim: .atMost(15 * Double(count) / 100_000)),
            BenchmarkRow(
                name: "the same: hooks of planted bugs cost nothing", value: rebuild * 1000, unit: "ms",
                baseline: "with each hook asked while it runs", baselineValue: asked * 1000, aim: .ratioAtMost(1.05)),
        ]
    }

    // MARK: Measuring

    func timed(_ body: () throws -> Void) throws -> Double {
        if Interruption.shared.isInterrupted { throw RunError.interrupted }
        let began = MonotonicTime.seconds()
        try body()
        return MonotonicTime.seconds() - began
    }

    package func best(_ body: () throws -> Void) throws -> Double {
        try (0..<rounds).map { _ in try timed(body) }.min() ?? 0
    }

    package func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func nanoseconds(_ seconds: Double) -> Double { seconds / Double(count) * 1e9 }

    private func millionsPerSecond(_ seconds: Double) -> Double { Double(count) / seconds / 1e6 }

    func inParallel(_ threads: Int, _ body: @escaping @Sendable () throws -> Void) throws {
        let failure = Guarded<(any Error)?>(nil)
        let started = try (0..<threads).map { _ in
            try Platform.Thread {
                do { try body() } catch { failure.withLock { $0 = $0 ?? error } }
            }
        }
        for thread in started { thread.join() }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

package func + (path: ByteString, suffix: String) -> ByteString { ByteString(path.bytes + Array(suffix.utf8)) }
