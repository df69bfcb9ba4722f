import Exploration

/// What became of one fault, for people and programs.
package struct FaultReport: Codable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        /// The workload went on to its end, and nothing was lost.
        case survived
        /// The store said so, and nothing was lost.
        case refused
        /// A promise was broken.
        case violation
        /// The rule matched nothing that it could change.
        case neverFired = "never-fired"
        /// It was not tried here.
        case notTried = "not-tried"
    }

    package var family: FaultFamilyName
    package var rule: String
    package var seed: UInt64
    package var outcome: Outcome
    /// What the store was held to: `everything` that its contract says, `prefix`, or `noticing`.
    package var demand: FaultFamily.Demand
    /// At how many places it was tried, of a family that is tried at several until a promise is broken; the first that
    /// broke one is told, else the first.
    package var places: Int?
    /// At how many of them a promise was broken, where every place was tried.
    package var failingPlaces: Int?
    package var matched: UInt64 = 0
    package var fired: UInt64 = 0
    /// The first of the faults that happened, with the operations that they hit.
    package var faults: [String] = []
    /// Why it was not tried, or what the store said when it refused.
    package var detail: String?

    package init(
        family: FaultFamilyName, rule: String, seed: UInt64, outcome: Outcome, demand: FaultFamily.Demand,
        places: Int? = nil, failingPlaces: Int? = nil, matched: UInt64 = 0, fired: UInt64 = 0, faults: [String] = [],
        detail: String? = nil
    ) {
        self.family = family
        self.rule = rule
        self.seed = seed
        self.outcome = outcome
        self.demand = demand
        self.places = places
        self.failingPlaces = failingPlaces
        self.matched = matched
        self.fired = fired
        self.faults = faults
        self.detail = detail
    }
}
