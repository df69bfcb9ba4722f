import Foundation
import Platform
import Synchronization
import Testing

@testable import Exploration

/// Work on several threads.
struct ParallelTests {
    /// Mounts wait for the kernel most of the time: more of them than processors have to wait at once.
    @Test func `more workers than processors work at once`() throws {
        let workers = 3 * ProcessInfo.processInfo.activeProcessorCount + 1
        let (lock, changed) = (Platform.Lock(), Condition())
        let met = Atomic<Int>(0)
        let deadline = MonotonicTime.nanoseconds() + 60_000_000_000
        let outcomes = try Parallel.map(Array(0..<workers), workers: workers) { _, item in
            lock.withLock {
                met.add(1, ordering: .relaxed)
                changed.wakeAll()
                while met.load(ordering: .relaxed) < workers, MonotonicTime.nanoseconds() < deadline {
                    changed.wait(lock, until: deadline)
                }
            }
            return item
        }
        #expect(met.load(ordering: .relaxed) == workers)
        #expect(MonotonicTime.nanoseconds() < deadline)
        #expect(outcomes == (0..<workers).map { $0 })
    }

    private struct Failure: Error, Equatable { var item: Int }

    @Test(arguments: [1, 2, 16]) func `the results are in order, and the first error is thrown`(workers: Int) throws {
        #expect(try Parallel.map(Array(0..<100), workers: workers) { $0 + $1 } == (0..<100).map { 2 * $0 })
        #expect(throws: Failure(item: 7)) {
            try Parallel.map(Array(0..<100), workers: workers) { _, item in
                if item >= 7 { throw Failure(item: item) }
            }
        }
    }
}
