import Bytes

/// The rules in force, with their counters.
///
/// The rules are asked in the order in which they were added. Each counts the attempts that it matches: operation,
/// path and conditions, and its fault must be possible (a write within one unit cannot be torn). Of those its selection
/// takes some. Every selected delay happens, and the first selected fault of another kind; a later one does not fire.
///
/// Deterministic: what chance decides comes from the stream of (seed, rule, path, number of the match on that path), so
/// one file's timing never moves another file's faults, and one rule's draws never move another's. `nth=`, `every=`,
/// `after=` and `after-fsync=` count over all the files that the rule matches.
///
/// A value type; not safe to change from several threads.
public struct RuleSet: Sendable {
    public let seed: UInt64
    private var armed: [ArmedRule] = []
    /// How many there are of each rule.
    private var counts: [Rule: UInt64] = [:]
    /// What the next rule is called.
    public private(set) var nextNumber: UInt64 = 1
    private var generation: UInt64 = 1
    public private(set) var needs = FaultNeeds()

    public init(_ rules: [Rule] = [], seed: UInt64) {
        self.seed = seed
        for rule in rules { add(rule) }
    }

    public var isEmpty: Bool { armed.isEmpty }

    /// Puts a rule behind the others, with its counters at zero, and returns its number, which no other rule gets.
    @discardableResult
    public mutating func add(_ rule: Rule) -> UInt64 {
        // Equal rules draw from streams of their own.
        let twins = counts[rule, default: 0]
        counts[rule] = twins + 1
        let text = ByteString(rule.description)
        let stream = RandomStream(seed: seed).stream(text).stream(twins)
        let added = ArmedRule(rule, text: text, number: nextNumber, stream: stream)
        armed.append(added)
        needs.formUnion(added.needs)
        generation += 1
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// False when no rule has this number.
    @discardableResult
    public mutating func remove(number: UInt64) -> Bool {
        guard let place = armed.firstIndex(where: { $0.number == number }) else { return false }
        let removed = armed.remove(at: place)
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

    /// What a rule has done so far.
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
        let places = armed.indices.filter { armed[$0].rule.path?.matches(path) ?? true }
        return PathMatch(path: path, places: places, generation: generation, isEmpty: places.isEmpty)
    }

    public func isCurrent(_ match: PathMatch) -> Bool { match.generation == generation }

    public mutating func decide(_ attempt: Attempt, at path: PathMatch, and other: PathMatch?) -> Decisions {
        guard needs.kinds.contains(attempt.kind) else { return Decisions() }
        let path = isCurrent(path) ? path : match(path.path)
        var places = path.places
        if let other {
            let more = isCurrent(other) ? other : match(other.path)
            places = Set(places).union(more.places).sorted()
        }
        var decisions = Decisions()
        for place in places {
            guard let fault = armed[place].decide(attempt, on: path.path, isTaken: decisions.main != nil) else {
                continue
            }
            decisions.add(.init(rule: armed[place].text, fault))
        }
        return decisions
    }
}

extension RuleSet.Status: CustomStringConvertible {
    /// `2  matched 40  fired 1  fsync path=*.wal nth=3 -> EIO lose`
    public var description: String { "\(number)  matched \(matched)  fired \(fired)  \(rule)" }
}
