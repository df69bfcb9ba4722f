/// What the validator says of one observation at one line of the oracle.
public struct Judgement: Hashable, Sendable {
    /// `pass`, `violation`, `filesystem`, or `inconclusive` when a check of the contract could not be judged and none was broken.
    public internal(set) var verdict: Verdict = .pass
    /// The first few of each broken check, by check and then in the order in which keys first stood in the oracle.
    public internal(set) var violations: [Violation] = []
    /// How often each check was broken; those that were not are absent.
    public internal(set) var counts: [Check: Int] = [:]
    /// Differences that operations in flight may explain in an oracle that does not record them.
    public internal(set) var unattributed: [Violation] = []
    /// Checks of the contract that could not be judged, and why.
    public internal(set) var unjudged: [Check: String] = [:]
    /// Checks of the contract for which no evidence was given (no second recovery, no write after recovery).
    public internal(set) var notTried: [Check] = []
    public internal(set) var totals = Totals()
    /// Something had been acknowledged by then: the store had promised more than to open.
    public internal(set) var hasAcknowledged = false
    /// Recovery did not end.
    public internal(set) var isHang = false
    /// The oracle line up to which the observation was judged.
    public internal(set) var line = 0

    init() {}

    /// What a whole run says, whose judgements are not kept one by one.
    package init(_ verdict: Verdict, _ violations: [Violation]) {
        self.verdict = verdict
        self.violations = violations
        for violation in violations { counts[violation.check, default: 0] += 1 }
    }

    /// The broken checks.
    public var broken: [Check] { counts.keys.sorted() }
}

/// What a run can show of a store after a crash.
public struct Evidence: Hashable, Sendable {
    /// Whether the store took a new write after recovery, and kept it over one more recovery.
    public enum Probe: Hashable, Sendable {
        case kept
        case refused(reason: String)
        case lost(reason: String)
        /// It opens after the next power cut, and what was acknowledged is not all there: wrong where that is promised.
        case unkept(reason: String)
    }

    public var recovery: Recovery
    /// What a second recovery of the same directory gave; nil when it was not tried.
    public var secondRecovery: Recovery?
    /// Nil when it was not tried.
    public var probe: Probe?

    public init(_ recovery: Recovery, secondRecovery: Recovery? = nil, probe: Probe? = nil) {
        self.recovery = recovery
        self.secondRecovery = secondRecovery
        self.probe = probe
    }
}
