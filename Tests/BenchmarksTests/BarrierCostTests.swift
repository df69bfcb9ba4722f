import Benchmarks
import Glibc
import Model
import Testing

struct BarrierCostTests {
    /// Four times the files cost four times as much, and not sixteen times: a barrier goes through what it makes durable
    /// and not through everything that is pending. Time of this thread, so that other work on the machine counts little.
    @Test(
        arguments: [Profile.strict, .ext4Journal, .ext4Ordered, .ext4Writeback, .xfs, .btrfs, .posixMin],
        ModelBenchmark.Burden.allCases)
    func `the cost of a barrier is linear in the effects that it makes durable`(
        _ profile: Profile, _ burden: ModelBenchmark.Burden
    ) {
        func seconds(_ count: Int) -> Double {
            (0..<3).map { _ in
                let began = threadSeconds()
                _ = ModelBenchmark.syncFiles(count, profile: profile, beside: burden)
                return threadSeconds() - began
            }.min()!
        }
        // A first measurement may be unlucky; one that is quadratic is so each time.
        let ratios = (0..<3).lazy.map { _ in seconds(2000) / seconds(500) }
        #expect(ratios.contains { $0 < 8 }, "\(profile), \(burden): \(Array(ratios))")
    }

    private func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
