/// The result of one aimed cut, for people and programs.
package struct CutReport: Codable, Sendable, Equatable {
    package enum Outcome: String, Codable, Sendable {
        case fired
        /// The life ended without the cut.
        case neverFired = "never-fired"
        /// There was no operation of this kind to aim at.
        case notTried = "not-tried"
    }

    /// As `--cut-at` takes it.
    package var aim: CutAim
    package var outcome: Outcome
    /// The number of the cut in the run, from 1.
    package var cycle: Int
    /// Where it was placed: a rule, or a number of events.
    package var placed: String?
    /// A description of what it hit.
    package var hit: String?
    /// Why it was not tried.
    package var detail: String?

    package init(
        aim: CutAim, outcome: Outcome, cycle: Int, placed: String? = nil, hit: String? = nil, detail: String? = nil
    ) {
        self.aim = aim
        self.outcome = outcome
        self.cycle = cycle
        self.placed = placed
        self.hit = hit
        self.detail = detail
    }
}
