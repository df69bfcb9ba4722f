import Synchronization

/// The time that an exploration may take, shared among the profiles that it still has to try. Thread safe.
final class ExplorationBudget: Sendable {
    /// When all of it is used up, on the clock of `ScenarioRunner.now`; infinity without a limit.
    private let endSeconds: Double
    /// When the share of the present profile is used up, as a bit pattern.
    private let shareEnd: Atomic<UInt64>

    init(began: Double, seconds: Int?) {
        endSeconds = seconds.map { began + Double($0) } ?? .infinity
        shareEnd = Atomic(endSeconds.bitPattern)
    }

    /// Gives the profile that begins now an equal share of what is left.
    func share(among profileCount: Int) {
        let now = ScenarioRunner.now()
        shareEnd.store((now + (endSeconds - now) / Double(max(1, profileCount))).bitPattern, ordering: .relaxed)
    }

    var isUsedUp: Bool { ScenarioRunner.now() >= Double(bitPattern: shareEnd.load(ordering: .relaxed)) }
}
