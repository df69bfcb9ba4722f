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
    /// After so many seconds no further state is recovered; nil for no limit.
    package var budgetSeconds: Int?

    package init() {}
}
