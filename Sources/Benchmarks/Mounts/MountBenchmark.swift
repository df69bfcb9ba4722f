import Bytes
import CYardsticks
import Glibc
import Machine
import Runs
import Storage

/// What FaultFS costs, beside the bare directory, bindfs and other filesystems over the same one, measured in turn in
/// the same run. The client and whatever serves it share one core: what is counted is work, not luck with wake-ups.
package struct MountBenchmark {
    private typealias Measure = MountedClient.Measure

    private let directory: ByteString
    private let rounds: Int
    private let seconds: Double
    private let peers: [MeasuredFilesystem]
    private let parts: Set<Part>

    /// The parts of the benchmark.
    package enum Part: String, CaseIterable, Sendable {
        /// Rates, compared with other filesystems.
        case rates
        /// The cost of a power cut beyond the workload.
        case crashCycle = "crash-cycle"
    }

    /// `directory` exists, is empty, lies on the filesystem to measure and has an absolute path in UTF-8. Each measure
    /// lasts `seconds` in each of the rounds.
    package init(
        directory: ByteString, rounds: Int, seconds: Double, peers: [MeasuredFilesystem],
        parts: Set<Part> = Set(Part.allCases)
    ) {
        self.directory = directory
        self.rounds = rounds
        self.seconds = seconds
        self.peers = peers
        self.parts = parts
    }

    /// Medians over the rounds.
    ///
    /// Pins this thread to one core for good.
    package func rows() throws -> [BenchmarkRow] {
        let pinned = client_stay_on_one_core()
        guard pinned == 0 else { throw YardstickError(description: "sched_setaffinity: errno \(-pinned)") }
        let cycles =
            parts.contains(.crashCycle) ? try CrashCycleBenchmark(directory: directory, rounds: rounds).rows() : []
        guard parts.contains(.rates) else { return cycles }
        let yardsticks = [.bare] + [MeasuredFilesystem.bindfs].compactMap { $0 } + peers
        let ours: [MeasuredFilesystem] = [.faultline(records: true), .faultline(records: false)]
        var samples: [MeasuredFilesystem: [Measure: [Double]]] = [:]
        for _ in 0..<rounds {
            for filesystem in ours + yardsticks {
                if Interruption.shared.isInterrupted { throw RunError.interrupted }
                let rates = try filesystem.mounted(in: directory) {
                    try MountedClient(directory: $0, seconds: seconds).rates()
                }
                for (measure, rate) in rates { samples[filesystem, default: [:]][measure, default: []].append(rate) }
            }
        }
        let rates = samples.mapValues { $0.mapValues { $0.sorted()[$0.count / 2] } }
        return rows(rates, yardsticks) + cycles
    }

    private func rows(
        _ rates: [MeasuredFilesystem: [Measure: Double]], _ yardsticks: [MeasuredFilesystem]
    ) -> [BenchmarkRow] {
        func row(
            _ name: String, _ measure: Measure, records: Bool, _ other: MeasuredFilesystem, _ otherMeasure: Measure,
            _ aim: BenchmarkRow.Aim
        ) -> BenchmarkRow {
            BenchmarkRow(
                name: name, value: rates[.faultline(records: records)]![measure]!, unit: measure.unit,
                baseline: other.name, baselineValue: rates[other]![otherMeasure]!, aim: aim)
        }
        let besides = Measure.allCases.flatMap { measure in
            // Where the trace needs as much room as the data, it is the filesystem that is compared, not the copy.
            let records = measure != .sequential
            let name = measure.rawValue + (records ? "" : ", not recording")
            return yardsticks.map {
                row(name, measure, records: records, $0, measure, Self.aim(measure, beside: $0))
            }
        }
        let flat = row(
            "the same in 256 MiB as in 64 MiB", .overwriteLarge, records: true, .faultline(records: true),
            .overwriteSmall, .ratioAtLeast(0.9))
        let costs: [(Measure, slowdown: Double)] = [
            (.append, 1.15), (.overwriteSmall, 1.15), (.overwriteLarge, 1.15), (.sequential, 1.6),
        ]
        return besides + [flat]
            + costs.map { measure, slowdown in
                let least = (100 / slowdown).rounded(.up) / 100
                return row(
                    "\(measure.rawValue), recording", measure, records: true, .faultline(records: false), measure,
                    .ratioAtLeast(least))
            }
    }

    /// Against other FUSE filesystems, which are named; the bare directory and bindfs are there for comparison.
    private static func aim(_ measure: Measure, beside other: MeasuredFilesystem) -> BenchmarkRow.Aim {
        guard case .program(let name, _) = other, name != "bindfs" else { return .none }
        switch measure {
        case .append where name == "lazyfs": return .ratioAtLeast(2)
        case .sequential: return .ratioAtLeast(1)
        case .readWarm: return .ratioAtLeast(0.95)
        default: return .ratioAtLeast(0.9)
        }
    }
}
