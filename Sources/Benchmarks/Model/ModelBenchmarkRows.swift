import Bytes
import Glibc
import Machine
import Model
import Platform
import Storage

/// The model's benchmark with a clock: what it costs to take an event, with little and with much pending, to hash
/// neighbouring states, and to stream a trace file, and whether memory stays bounded.
package enum ModelBenchmarkRows {
    /// - Parameter events: the number of events processed and of states walked. A trace file of so many events of 16
    ///   bytes of data (about 60 bytes each) is written to the directory for temporary files, and removed.
    package static func rows(events: Int) throws -> [BenchmarkRow] {
        // First, while the heap is small: reuse of freed memory would not show.
        let streamed = try streaming(events)
        return [event(events), pending(events)] + barriers(events) + [try state(events)] + streamed
    }

    /// Creates files, then syncs each alone: the cost of a barrier must not grow with the number of pending effects.
    private static func barriers(_ events: Int) -> [BenchmarkRow] {
        let count = min(events / 100, 20_000)
        return [Profile.ext4Ordered, .xfs, .btrfs, .posixMin].flatMap { profile in
            ModelBenchmark.Burden.allCases.map { burden in
                let (taken, seconds) = timed { ModelBenchmark.syncFiles(count, profile: profile, beside: burden) }
                let (fewer, fewerSeconds) = timed {
                    ModelBenchmark.syncFiles(count / 10, profile: profile, beside: burden)
                }
                return BenchmarkRow(
                    name: "create and sync \(count) files, \(profile), beside \(burden.rawValue): an event",
                    value: seconds / Double(taken) * 1e9, unit: "ns", baseline: "the same with a tenth of the files",
                    baselineValue: fewerSeconds / Double(fewer) * 1e9, aim: .ratioAtMost(2))
            }
        }
    }

    private static func event(_ events: Int) -> BenchmarkRow {
        let (added, seconds) = timed { ModelBenchmark.addEvents(events) }
        let (fewer, fewerSeconds) = timed { ModelBenchmark.addEvents(events / 10) }
        return BenchmarkRow(
            name: "take one event (\(added.events) of them, at most \(added.peakParts) parts pending)",
            value: seconds / Double(added.events) * 1e9, unit: "ns",
            baseline: "the same in a tenth of the trace (\(fewer.peakParts) parts)",
            baselineValue: fewerSeconds / Double(fewer.events) * 1e9, aim: .atMost(300))
    }

    private static func pending(_ events: Int) -> BenchmarkRow {
        let count = min(events / 10, 1_000_000)
        let (parts, seconds) = timed { ModelBenchmark.addPending(count) }
        let (fewer, fewerSeconds) = timed { ModelBenchmark.addPending(count / 10) }
        return BenchmarkRow(
            name: "take one event, never a barrier (\(parts) parts pending in the end)",
            value: seconds / Double(count) * 1e9, unit: "ns",
            baseline: "the same with a tenth (\(fewer) parts)",
            baselineValue: fewerSeconds / Double(count / 10) * 1e9, aim: .atMost(300))
    }

    private static func state(_ count: Int) throws -> BenchmarkRow {
        let (walked, seconds) = try timed { try ModelBenchmark.walkStates(count) }
        return BenchmarkRow(
            name: "derive and hash a neighbouring state (\(walked.states) of them)",
            value: Double(walked.states) / seconds / 1e6, unit: "M/s", baseline: "the aim",
            baselineValue: 5, aim: .atLeast(5))
    }

    private static func streaming(_ events: Int) throws -> [BenchmarkRow] {
        let small = try stream(events / 10)
        let large = try stream(events)
        return [
            BenchmarkRow(
                name: "stream one event of a trace file of \(large.megabytes) MB into the pending set",
                value: large.seconds / Double(large.events) * 1e9, unit: "ns",
                baseline: "the same from a tenth of the file",
                baselineValue: small.seconds / Double(small.events) * 1e9, aim: .atMost(600)),
            BenchmarkRow(
                name: "of which: check that the event can follow those before it", value: try checking(events),
                unit: "ns",
                baseline: "stream one event", baselineValue: large.seconds / Double(large.events) * 1e9,
                aim: .ratioAtMost(0.25)),
            BenchmarkRow(
                name: "memory that streaming it adds at most", value: large.peakMegabytes, unit: "MB",
                baseline: "the same from a tenth of the file", baselineValue: small.peakMegabytes, aim: .atMost(64)),
        ]
    }

    /// Writes a trace file of about `count` events, then takes them from it; only the second is timed.
    private static func stream(_ count: Int) throws -> Streamed {
        let name = ByteString("faultline-bench-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).trace")
        let path = ScratchSpace.temporaryDirectory().appending(component: name)
        var writer = try TraceWriter(creating: path)
        let reader = try TraceReader(path: path)
        // Unlink the file now, so that nothing is left however this process ends.
        try RunFiles.remove(path)
        var log = SyntheticLog(recordBytes: 16)
        let record = [UInt8](repeating: 7, count: 16)
        var written = 0
        try record.withUnsafeBytes { bytes in
            while written < count {
                try log.commit { event in
                    if case .operation(let operation) = event, case .write = operation.change {
                        try writer.append(event, data: bytes)
                    } else {
                        try writer.append(event)
                    }
                    written += 1
                }
            }
        }
        let sizeBytes = writer.sizeBytes
        try writer.finish()
        let began = try ResidentMemory.resetPeak()
        let (events, seconds) = try timed {
            var cursor = reader.cursor()
            var set = PendingSet(profile: .ext4Ordered)
            while let record = try cursor.next() { if case .event(let event) = record { set.add(event) } }
            return set.eventCount
        }
        return Streamed(
            events: events, seconds: seconds, megabytes: Int(sizeBytes / 1_000_000),
            peakMegabytes: Double(try ResidentMemory.peakBytes() - began) / 1e6)
    }

    /// The cost of `TraceValidator` per event, in nanoseconds.
    private static func checking(_ count: Int) throws -> Double {
        var log = SyntheticLog(recordBytes: 16)
        var validator = TraceValidator()
        try validator.checkBaseEnd()
        var checked = 0
        let (_, seconds) = try timed {
            while checked < count {
                try log.commit { event in
                    checked += 1
                    try validator.check(event)
                }
            }
        }
        return seconds / Double(checked) * 1e9
    }

    private struct Streamed {
        var events: Int
        var seconds: Double
        var megabytes: Int
        var peakMegabytes: Double
    }

    private static func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, seconds: Double) {
        let began = MonotonicTime.seconds()
        let result = try body()
        return (result, MonotonicTime.seconds() - began)
    }
}
