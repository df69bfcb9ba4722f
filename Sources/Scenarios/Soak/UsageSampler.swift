import Bytes
import Glibc
import Platform
import Runs
import Targets

/// Samples what a workload uses while it runs, and kills it at an acknowledgement if it is asked to. Thread safe.
final class UsageSampler: Sendable {
    private struct State {
        var samples: [GrowthJudge.Sample] = []
        var thread: Platform.Thread?
    }

    /// The oracle file, and where the lines of this life begin in it.
    private let oracle: ByteString
    private let linesBefore: Int
    /// The acknowledgement at which to kill; nil for never.
    private let killAt: Int?
    private let state = Guarded(State())

    private static let intervalMicroseconds: UInt32 = 20_000
    /// A kill must land at its operation, so its interval is shorter.
    private static let killIntervalMicroseconds: UInt32 = 1000

    init(oracle: ByteString, linesBefore: Int, killAt: Int?) {
        (self.oracle, self.linesBefore, self.killAt) = (oracle, linesBefore, killAt)
    }

    /// Call when the workload runs.
    func start(_ run: WorkloadRun) {
        let thread = try? Platform.Thread { self.sample(run) }
        state.withLock { $0.thread = thread }
    }

    /// Waits for the end of the workload. Returns the samples of its life.
    func finish() -> [GrowthJudge.Sample] {
        state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }?.join()
        return state.withLock { $0.samples }
    }

    private func sample(_ run: WorkloadRun) {
        var watch = OracleWatch(oracle, from: linesBefore)
        var sinceSample = Self.intervalMicroseconds
        let interval = killAt == nil ? Self.intervalMicroseconds : Self.killIntervalMicroseconds
        while run.process.termination == nil {
            watch.poll()
            if let killAt, watch.acknowledged >= killAt {
                _ = try? run.kill()
                return
            }
            if sinceSample >= Self.intervalMicroseconds, let usage = ProcessUsage(of: run.measuredProcess) {
                sinceSample = 0
                let sample = GrowthJudge.Sample(
                    operations: watch.acknowledged,
                    values: [
                        .memory: Double(usage.residentBytes), .descriptors: Double(usage.descriptors),
                        .threads: Double(usage.threads),
                    ])
                state.withLock { $0.samples.append(sample) }
            }
            usleep(interval)
            sinceSample += interval
        }
    }
}
