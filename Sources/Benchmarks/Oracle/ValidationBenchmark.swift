import Bytes
import Machine
import Model
import Oracle
import Platform
import Runs
import Storage

/// The time and memory to read and judge an oracle.
package enum ValidationBenchmark {
    private static let keyCount: UInt64 = 4096

    /// - Parameter lines: the number of lines, intents and acknowledgements together; about 110 bytes each are written
    ///   to the directory for temporary files, in a file without a name.
    package static func rows(lines: Int) throws -> [BenchmarkRow] {
        let small = try measure(lines / 10)
        let large = try measure(lines)
        return [
            BenchmarkRow(
                name: "read and judge an oracle of \(large.lines) lines (\(large.megabytes) MB)",
                value: Double(large.lines) / large.judgeSeconds / 1e6, unit: "M lines/s",
                baseline: "only looking for the ends of the lines",
                baselineValue: Double(large.lines) / large.scanSeconds / 1e6, aim: .atLeast(1)),
            BenchmarkRow(
                name: "memory that this adds at most, \(keyCount) live keys", value: large.peakMegabytes, unit: "MB",
                baseline: "the same with a tenth of the lines", baselineValue: small.peakMegabytes, aim: .atMost(64)),
        ] + (try ValidationShape.allCases.map { try row($0, count: min(100_000, max(1000, lines / 40))) })
    }

    /// The cost of twice the input, which must be about twice as high.
    private static func row(_ shape: ValidationShape, count: Int) throws -> BenchmarkRow {
        func milliseconds(_ count: Int) throws -> Double {
            let made = shape.makeCase(count)
            var least = Double.infinity
            for _ in 0..<3 {
                let began = MonotonicTime.seconds()
                _ = try shape.judge(made)
                least = min(least, MonotonicTime.seconds() - began)
            }
            return least * 1000
        }
        let (half, whole) = (try milliseconds(count / 2), try milliseconds(count))
        let ratio = (whole / half * 10).rounded() / 10
        return BenchmarkRow(
            name: "judge \(count) \(shape.description): \(ratio) times half as many", value: whole, unit: "ms",
            baseline: "half as many", baselineValue: half, aim: .ratioAtMost(3))
    }

    private struct Measurement {
        var lines: Int
        var megabytes: Int
        var judgeSeconds: Double
        var scanSeconds: Double
        var peakMegabytes: Double
    }

    private static func measure(_ lines: Int) throws -> Measurement {
        let file = try TemporaryOracle(lines: lines, keyCount: keyCount)
        var newlines = 0
        let scanBegan = MonotonicTime.seconds()
        try file.forEachChunk { chunk in newlines += chunk.reduce(into: 0) { $0 += $1 == UInt8(ascii: "\n") ? 1 : 0 } }
        let scanSeconds = MonotonicTime.seconds() - scanBegan
        let before = try ResidentMemory.resetPeak()
        let judgeBegan = MonotonicTime.seconds()
        var (validator, reader) = (Validator(.watching(file.contents)), OracleReader())
        try file.forEachChunk { chunk in
            try reader.read(chunk.span) { line, number throws(OracleError) in try validator.apply(line, at: number) }
        }
        let judgement = validator.judge(Evidence(.opened(file.contents)), contract: .durable)
        let judgeSeconds = MonotonicTime.seconds() - judgeBegan
        let peak = try ResidentMemory.peakBytes() - before
        guard judgement.verdict == .pass, newlines == reader.lineNumber else {
            throw RunError.harness("the benchmark's own oracle does not pass: \(judgement.violations)")
        }
        return Measurement(
            lines: newlines, megabytes: file.sizeBytes / 1_000_000, judgeSeconds: judgeSeconds,
            scanSeconds: scanSeconds, peakMegabytes: Double(peak) / 1e6)
    }
}

/// An oracle in an unlinked file, and the content of a correct store.
private final class TemporaryOracle {
    private let file: UnnamedFile
    private(set) var contents: Observation
    private(set) var sizeBytes = 0

    init(lines: Int, keyCount: UInt64) throws {
        file = try UnnamedFile(in: ScratchSpace.temporaryDirectory())
        contents = Observation()
        var random = RandomStream(seed: 1)
        var live: [ByteString: [UInt8]] = [:]
        var text: [UInt8] = []
        for seq in 1...UInt64(max(1, lines / 2)) {
            let key = ByteString("key-\(random.next(upperBound: keyCount))")
            let payload = seq % 23 == 0 ? nil : Array("value \(seq) of this key".utf8)
            let operation = payload.map { OracleOperation.put(seq, key, $0) } ?? .delete(seq, key)
            live[key] = payload
            OracleLine.begin(operation).append(to: &text)
            OracleLine.acknowledged(operation).append(to: &text)
            if text.count > 1 << 20 {
                try flush(&text)
            }
        }
        try flush(&text)
        contents = Observation(live)
    }

    private func flush(_ text: inout [UInt8]) throws {
        try file.append(text)
        sizeBytes += text.count
        text.removeAll(keepingCapacity: true)
    }

    func forEachChunk(_ body: ([UInt8]) throws -> Void) throws {
        try file.forEachChunk(body)
    }
}
