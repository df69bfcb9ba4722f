import Oracle

/// How far an exploration is.
package struct ExplorationStep: Hashable, Sendable {
    /// The epochs that are done, and how many there are.
    package var epochs: Int
    package var of: Int
    /// Distinct states that were recovered.
    package var states: Int
    /// What the causes that were found so far violate, one for each.
    package var found: [Violation]

    package init(epochs: Int, of: Int, states: Int, found: [Violation] = []) {
        (self.epochs, self.of, self.states, self.found) = (epochs, of, states, found)
    }
}
