/// How far an exploration goes where it cannot go everywhere.
package struct ExplorationLimits: Hashable, Sendable {
    /// An epoch with more states than this is searched and not exhausted.
    package var statesPerEpoch = 65_536
    /// Of an epoch that is searched: every choice that loses, or that keeps, so many atoms …
    package var droppedAtMost = 2
    /// … as long as there are not more atoms than this; with more, every single one.
    package var pairedAtoms = 48
    /// … and so many seeded choices.
    package var samplesPerEpoch = 256
    /// After so many distinct states none is recovered; nil for no limit.
    package var budgetStates: Int?
    /// So many states may hang in recovery, each of which costs the target's whole timeout; then it ends.
    package var hangsAtMost = ExplorationLimits.usualHangs
    /// 2: the recovery of each distinct state is crashed too.
    package var depth = 1
    /// Of a recovery that is crashed: so many states of each of its epochs, fewest kept first.
    package var nestedStatesPerEpoch = 64

    package init() {}

    package static let usualHangs = 5
}
