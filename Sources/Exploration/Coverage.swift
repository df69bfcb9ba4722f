/// How much of what a crash could leave was looked at.
package struct Coverage: Hashable, Sendable {
    /// Epochs of the trace: stretches in which what may survive only grows.
    package var epochs = 0
    package var exhaustedEpochs = 0
    package var searchedEpochs = 0
    package var limits: ExplorationLimits
    /// Why the rest was not looked at; nil when all was.
    package var stopped: String?
    /// Distinct states that showed something else when they were recovered once more.
    package var unstableStates = 0
    package var rerunStates = 0

    /// Every legal state was looked at.
    package var isExhaustive: Bool { stopped == nil && exhaustedEpochs == epochs }
}

extension Coverage: CustomStringConvertible {
    /// `exhaustive 812/815 epochs; 3 searched (≤ 2 lost, ≤ 2 kept, 256 samples)`
    package var description: String {
        var text = "exhaustive \(exhaustedEpochs)/\(epochs) epochs"
        if searchedEpochs > 0 {
            text +=
                "; \(searchedEpochs) searched (≤ \(limits.droppedAtMost) lost, ≤ \(limits.droppedAtMost) kept, "
                + "\(limits.samplesPerEpoch) samples)"
        }
        let missing = epochs - exhaustedEpochs - searchedEpochs
        if let stopped { text += "; \(missing) NOT LOOKED AT beyond all lost and all kept: \(stopped)" }
        if unstableStates > 0 {
            text +=
                "; NOT DETERMINISTIC: \(unstableStates) of \(rerunStates) states showed something else when recovered again"
        }
        return text
    }
}
