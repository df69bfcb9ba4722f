import Model
import Oracle
import Synchronization

/// What recovering once more showed, by what the first recovery left: many states recover to few. Thread safe.
final class SecondRecoveries: Sendable {
    /// Of so many one is looked at all the same: what a recovery shows must depend on what it finds alone.
    private static let lookPeriod = 64
    private static let keptAtMost = 10_000

    private let known = Mutex<[StateHash: Recovery]>([:])

    /// What a store that finds this shows; `recover` is asked where it is not known, and now and then where it is.
    ///
    /// - Parameter number: the recovery's own number, which says whether it is time to look.
    func recovery(after left: StateHash, number: Int, _ recover: () throws -> Recovery) rethrows -> Recovery {
        if number % Self.lookPeriod != 0, let known = known.withLock({ $0[left] }) { return known }
        let second = try recover()
        if case .opened = second { known.withLock { if $0.count < Self.keptAtMost { $0[left] = second } } }
        return second
    }
}
