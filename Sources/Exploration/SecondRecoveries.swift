import Model
import Oracle
import Platform

/// What recovering once more showed, by what the first recovery left: many states recover to few. Of each only a digest
/// is kept: mostly the second recovery shows what the first one did, and is that one then. Thread safe.
final class SecondRecoveries: Sendable {
    /// Of so many one is looked at all the same: what a recovery shows must depend on what it finds alone.
    private static let lookPeriod = 64
    private static let keptAtMost = 10_000

    private let known = Guarded<[StateHash: StateHash]>([:])

    /// What a store that finds this shows; `recover` is asked where it is not known, or not what the first recovery
    /// showed, and now and then where it is.
    ///
    /// - Parameter number: the recovery's own number, which says whether it is time to look.
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
        // One copy where both are the same: what a state shows may be megabytes.
        return second == first ? first : second
    }
}
