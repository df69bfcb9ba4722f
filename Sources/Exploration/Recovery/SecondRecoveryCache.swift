import Model
import Oracle
import Platform

/// A cache of second recoveries, keyed by the files that the first recovery left, because many states recover to few
/// different ones. It keeps only digests: usually the second recovery equals the first, which is then returned. Thread safe.
final class SecondRecoveryCache: Sendable {
    /// One of this many cached recoveries is run all the same, because the result must depend only on the files.
    private static let lookPeriod = 64
    private static let keptAtMost = 10_000

    private let known = Guarded<[StateHash: StateHash]>([:])

    /// The second recovery, of the files with hash `left`. Calls `recover` if it is not cached or differs from `first`, and
    /// sometimes to check the cache.
    ///
    /// - Parameter number: the number of the recovery, which decides whether to check the cache.
    func recovery(
        after left: StateHash, showing first: Recovery, number: Int, _ recover: () throws -> Recovery
    ) rethrows -> Recovery {
        if number % Self.lookPeriod != 0, let known = known.withLock({ $0[left] }), known == first.digest {
            return first
        }
        let second = try recover()
        if case .opened = second {
            let digest = second.digest
            known.withLock { if $0.count < Self.keptAtMost { $0[left] = digest } }
        }
        // Share one copy if both are equal: evidence may have megabytes.
        return second == first ? first : second
    }
}
