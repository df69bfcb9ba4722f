import Bytes
import Glibc
import Machine
import Platform
import Runs
import Storage
import Targets

/// Collects what a soak measures, closes an interval each minute, and looks for growth.
struct SoakMeter {
    /// What the cycles of the current interval measured.
    private struct Interval {
        var values: [SoakMeasure: [Double]] = [:]
        var recoverySeconds: [Double] = []
        var latencies: [String: LatencyHistogram] = [:]
    }

    private let context: RunContext
    private let beganSeconds = MonotonicTime.seconds()
    private let durationSeconds: Int
    private let intervalSeconds: Double
    private var intervalEnd: Double
    private var interval = Interval()
    private var latencies: [String: LatencyHistogram] = [:]
    private var judge = GrowthJudge()

    /// The name of the file in the run directory with a JSON line for each interval.
    static let fileName = "soak.jsonl"

    init(_ context: RunContext, durationSeconds: Int) {
        self.context = context
        self.durationSeconds = durationSeconds
        // A short soak has enough intervals for a plot, too.
        intervalSeconds = min(60, max(5, Double(durationSeconds) / 10))
        intervalEnd = beganSeconds + intervalSeconds
    }

    private var elapsedSeconds: Double { MonotonicTime.seconds() - beganSeconds }
    var isOver: Bool { elapsedSeconds >= Double(durationSeconds) }

    /// `12 of 60 min`
    var words: String {
        let (unit, name) = durationSeconds >= 600 ? (60, "min") : (1, "s")
        return "\(Int(elapsedSeconds) / unit) of \(durationSeconds / unit) \(name)"
    }

    // MARK: - Measuring

    /// - Parameters:
    ///   - timings: the file with the durations of the store's calls, from a target: its lines may be anything.
    ///   - isWhole: whether the life was not disturbed. Only such lives are compared with each other.
    mutating func add(life samples: [GrowthJudge.Sample], timings: ByteString, isWhole: Bool) {
        judge.add(life: samples)
        let late = samples.suffix(max(1, samples.count / 2))
        var cycle: [SoakMeasure: Double] = [:]
        for measure in SoakMeasure.withinLife {
            cycle[measure] = Trend.median(late.compactMap { $0.values[measure] })
        }
        if isWhole { judge.add(cycle: cycle) }
        for (measure, value) in cycle { interval.values[measure, default: []].append(value) }
        guard RunFiles.exists(timings), let bytes = try? RunFiles.read(timings, followingLinks: false) else { return }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count == 2, let call = CallTimings.Call(rawValue: String(decoding: words[0], as: UTF8.self)),
                let nanoseconds = UInt64(String(decoding: words[1], as: UTF8.self))
            else { continue }
            interval.latencies[call.rawValue, default: LatencyHistogram()].add(nanoseconds: nanoseconds)
        }
    }

    /// - Parameter image: a copy of the store, which is no part of the scratch space that may grow.
    mutating func add(recovery seconds: Double, store: ByteString, image: ByteString) {
        interval.recoverySeconds.append(seconds)
        let own = ProcessUsage.ownUsage
        let storeBytes = Self.size(of: store)
        let cycle: [SoakMeasure: Double] = [
            .storeBytes: storeBytes,
            .scratchBytes: max(0, Self.size(of: context.scratch) - storeBytes - Self.size(of: image)),
            .ownMemory: Double(own.residentBytes), .ownDescriptors: Double(own.descriptors),
            .ownThreads: Double(own.threads),
        ]
        judge.add(cycle: cycle)
        for (measure, value) in cycle { interval.values[measure, default: []].append(value) }
    }

    private static func size(of directory: ByteString) -> Double {
        TreeListing.paths(beneath: directory).reduce(0) { sum, path in
            var status = stat()
            let file = directory.appending(component: path)
            guard file.withCString({ lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFREG else { return sum }
            return sum + Double(status.st_blocks) * 512
        }
    }

    // MARK: - Intervals

    /// Closes the interval if its time is up.
    mutating func tick(_ result: inout SoakResult, cycles: Int, acknowledged: Int) throws {
        let isDue = MonotonicTime.seconds() >= intervalEnd
        if isDue { try close(&result, cycles, acknowledged) }
        // A leak is told at once, and not after a minute.
        if let leak = judge.leaks().first, !isDue { result.growths = [leak] }
        result.livesJudged = judge.lifeCount
    }

    /// Closes the last interval.
    mutating func end(_ result: inout SoakResult, cycles: Int, acknowledged: Int) throws {
        if !interval.recoverySeconds.isEmpty { try close(&result, cycles, acknowledged) }
        result.livesJudged = judge.lifeCount
    }

    private mutating func close(_ result: inout SoakResult, _ cycles: Int, _ acknowledged: Int) throws {
        let recoveries = interval.recoverySeconds
        let values = interval.values.compactMapValues { Trend.median($0) }
        let point = SoakResult.Point(
            seconds: (elapsedSeconds * 10).rounded() / 10, cycles: cycles, acknowledged: acknowledged,
            values: Dictionary(uniqueKeysWithValues: values.map { ($0.rawValue, $1) }),
            recoveryMilliseconds: Self.milliseconds(Trend.median(recoveries) ?? 0),
            slowestRecoveryMilliseconds: Self.milliseconds(recoveries.max() ?? 0),
            latencies: interval.latencies.compactMapValues(\.summary))
        for (call, histogram) in interval.latencies { latencies[call, default: LatencyHistogram()].add(histogram) }
        interval = Interval()
        intervalEnd = max(intervalEnd + intervalSeconds, MonotonicTime.seconds())
        result.points.append(point)
        result.latencies = latencies.compactMapValues(\.summary)
        result.growths = judge.growths()
        try OutputFile.append(
            try JSONText.bytes(of: point, .line), to: context.file(Self.fileName))
        context.progress(RunProgress(words, line: context.wording.words(for: point)))
    }

    private static func milliseconds(_ seconds: Double) -> Double { (seconds * 10_000).rounded() / 10 }
}
