/// The validator's result for one observation at one line of the oracle.
public struct Judgement: Hashable, Sendable {
    /// `pass`, `violation`, `filesystem`, or `inconclusive` when a check of the contract could not be judged and none was broken.
    public internal(set) var verdict: Verdict = .pass
    /// The first violations of each check, sorted by check, then by the line of the expected value.
    public internal(set) var violations: [Violation] = []
    /// The number of violations of each check. Contains only violated checks.
    public internal(set) var counts: [Check: Int] = [:]
    /// Differences that unrecorded operations in flight may explain (in an oracle without intents).
    public internal(set) var unattributed: [Violation] = []
    /// Checks of the contract that could not be judged, and why.
    public internal(set) var unjudged: [Check: String] = [:]
    /// Checks of the contract without evidence (no second recovery, no write after recovery).
    public internal(set) var notTried: [Check] = []
    public internal(set) var totals = Totals()
    /// Whether any operation was acknowledged before that line.
    public internal(set) var hasAcknowledged = false
    /// Recovery did not end.
    public internal(set) var isHang = false
    /// The oracle line up to which the observation was judged.
    public internal(set) var line = 0

    init() {}

    /// The combined result of a run that does not keep its single judgements.
    package init(_ verdict: Verdict, _ violations: [Violation]) {
        self.verdict = verdict
        self.violations = violations
        for violation in violations { counts[violation.check, default: 0] += 1 }
    }

    /// The same result, blamed on the filesystem below the store: a violation becomes the verdict `filesystem`, and each
    /// violated check is kept as `Violation.storeCheck`. Any other result stays as it is.
    package func blamedOnFilesystem() -> Judgement {
        guard verdict == .violation else { return self }
        var judgement = self
        judgement.verdict = .filesystem
        judgement.counts = [.filesystem: counts.values.reduce(0, +)]
        judgement.violations = violations.map { violation in
            var blamed = violation
            (blamed.check, blamed.storeCheck) = (.filesystem, violation.check)
            return blamed
        }
        return judgement
    }

    /// The violated checks.
    public var broken: [Check] { counts.keys.sorted() }
}

/// What a run observed of a store after a crash.
public struct Evidence: Hashable, Sendable {
    /// Whether a new write after recovery succeeded and survived another recovery.
    public enum Probe: Hashable, Sendable {
        case kept
        case refused(reason: String)
        case lost(reason: String)
        /// The store opens after the next power cut but lost acknowledged data: a violation if the contract includes
        /// `durable`.
        case unkept(reason: String)
    }

    public var recovery: Recovery
    /// The result of recovering the same directory again; nil when not tried.
    public var secondRecovery: Recovery?
    /// nil when not tried.
    public var probe: Probe?

    public init(_ recovery: Recovery, secondRecovery: Recovery? = nil, probe: Probe? = nil) {
        self.recovery = recovery
        self.secondRecovery = secondRecovery
        self.probe = probe
    }
}
