import Bytes

/// The rules in force, with their counters.
///
/// The rules are evaluated in the order in which they were added. Each counts the attempts that it matches: operation, path
/// and conditions must match, and its fault must be possible (a write within one unit cannot be torn). Its selection picks
/// some of these. All selected delays are injected, and the first other selected fault; a later one does not fire.
///
/// Deterministic: random decisions come from the stream of (seed, rule, path, number of the match on that path). The timing
/// of one file does not change the faults of another, and the draws of one rule do not change those of another. `nth=`,
/// `every=`, `after=` and `after-fsync=` count over all files that the rule matches.
///
/// A value type; not safe to change from several threads.
public struct RuleSet: Sendable {
    public let seed: UInt64
    private var armed: [ArmedRule] = []
    /// How many equal rules there are.
    private var counts: [Rule: UInt64] = [:]
    /// The number of the next rule.
    public private(set) var nextNumber: UInt64 = 1
    private var generation: UInt64 = 1
    public private(set) var needs = FaultNeeds()

    public init(_ rules: [Rule] = [], seed: UInt64) {
        self.seed = seed
        for rule in rules { add(rule) }
    }

    public var isEmpty: Bool { armed.isEmpty }

    /// Appends a rule with its counters at zero. Returns its number, which is never reused.
    @discardableResult
    public mutating func add(_ rule: Rule) -> UInt64 {
        // Equal rules have different streams.
        let equalRuleCount = counts[rule, default: 0]
        counts[rule] = equalRuleCount + 1
        let text = ByteString(rule.description)
        let stream = RandomStream(seed: seed).stream(text).stream(equalRuleCount)
        let added = ArmedRule(rule, text: text, number: nextNumber, stream: stream)
        armed.append(added)
        needs.formUnion(added.needs)
        generation += 1
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// False if no rule has this number.
    @discardableResult
    public mutating func remove(number: UInt64) -> Bool {
        guard let index = armed.firstIndex(where: { $0.number == number }) else { return false }
        let removed = armed.remove(at: index)
        counts[removed.rule]! -= 1
        rulesChanged()
        return true
    }

    public mutating func removeAll() {
        (armed, counts) = ([], [:])
        rulesChanged()
    }

    private mutating func rulesChanged() {
        generation += 1
        needs = armed.reduce(into: FaultNeeds()) { $0.formUnion($1.needs) }
    }

    /// The counters of a rule.
    public struct Status: Hashable, Sendable {
        public var number: UInt64
        public var rule: Rule
        public var matched: UInt64
        public var fired: UInt64
    }

    public var status: [Status] {
        armed.map { Status(number: $0.number, rule: $0.rule, matched: $0.matched, fired: $0.fired) }
    }
}

extension RuleSet: FaultSource {
    public func match(_ path: ByteString) -> PathMatch {
        let ruleIndices = armed.indices.filter { armed[$0].rule.path?.matches(path) ?? true }
        return PathMatch(path: path, ruleIndices: ruleIndices, generation: generation, isEmpty: ruleIndices.isEmpty)
    }

    public func isCurrent(_ match: PathMatch) -> Bool { match.generation == generation }

    public mutating func decide(_ attempt: Attempt, at path: PathMatch, and other: PathMatch?) -> Decisions {
        guard needs.kinds.contains(attempt.kind) else { return Decisions() }
        let path = isCurrent(path) ? path : match(path.path)
        var ruleIndices = path.ruleIndices
        if let other {
            let more = isCurrent(other) ? other : match(other.path)
            ruleIndices = Set(ruleIndices).union(more.ruleIndices).sorted()
        }
        var decisions = Decisions()
        for index in ruleIndices {
            guard let fault = armed[index].decide(attempt, on: path.path, hasFault: decisions.main != nil) else {
                continue
            }
            decisions.add(.init(rule: armed[index].text, fault))
        }
        return decisions
    }
}

extension RuleSet.Status: CustomStringConvertible {
    /// `2  matched 40  fired 1  fsync path=*.wal nth=3 -> EIO lose`
    public var description: String { "\(number)  matched \(matched)  fired \(fired)  \(rule)" }
}
