import Exploration

/// The result of one fault, for people and programs.
package struct FaultReport: Codable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        /// The workload completed, and nothing was lost.
        case survived
        /// The store reported the error, and nothing was lost.
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
    /// The required guarantee: `everything` in its contract, `prefix`, or `noticing` (corruption detection).
    package var guarantee: FaultFamily.Guarantee
    /// The number of places tried, for a family with several. Reports the first that broke a check, else the first.
    package var places: Int?
    /// The number of failing places, if every place was tried.
    package var failingPlaces: Int?
    package var matched: UInt64 = 0
    package var fired: UInt64 = 0
    /// The first injected faults, with the operations that they hit.
    package var faults: [String] = []
    /// The events of the recorded run at which faults were injected, the first of them, from 1.
    package var faultEvents: [Int]?
    /// The number of events of the recorded run.
    package var eventCount: Int?
    /// Why it was not tried, or the store's refusal message.
    package var detail: String?

    private enum CodingKeys: String, CodingKey {
        case family, rule, seed, outcome
        case guarantee = "demand"
        case places, failingPlaces, matched, fired, faults, detail
    }

    package init(
        family: FaultFamilyName, rule: String, seed: UInt64, outcome: Outcome, guarantee: FaultFamily.Guarantee,
        places: Int? = nil, failingPlaces: Int? = nil, matched: UInt64 = 0, fired: UInt64 = 0, faults: [String] = [],
        detail: String? = nil
    ) {
        self.family = family
        self.rule = rule
        self.seed = seed
        self.outcome = outcome
        self.guarantee = guarantee
        self.places = places
        self.failingPlaces = failingPlaces
        self.matched = matched
        self.fired = fired
        self.faults = faults
        self.detail = detail
    }
}
