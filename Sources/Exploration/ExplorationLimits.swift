/// The limits of an exploration.
package struct ExplorationLimits: Hashable, Sendable {
    /// An epoch with more states than this has a bounded search instead of an exhaustive walk.
    package var statesPerEpoch = 65_536
    /// A bounded search tries every choice that loses, or that keeps, at most this many effects …
    package var droppedAtMost = 2
    /// … if there are at most this many effects; otherwise only single ones …
    package var pairedAtoms = 48
    /// … and then this many seeded choices.
    package var samplesPerEpoch = 256
    /// The most distinct states to recover; nil for no limit.
    package var budgetStates: Int?
    /// The exploration stops after this many states that hang in recovery. Each costs the target's whole timeout.
    package var hangsAtMost = ExplorationLimits.defaultHangs
    /// 2: also crash the recovery of each distinct state.
    package var depth = 1
    /// The most states of each epoch of a crashed recovery, those that keep least first.
    package var nestedStatesPerEpoch = 64

    /// Whether one recovery decides all states that agree on what it read, where recoveries tell that.
    package var decides = false

    package init() {}

    package static let defaultHangs = 5
}
