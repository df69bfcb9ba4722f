import Bytes
import Model
import Synchronization

/// Decides, by rules or by the script of an earlier run, what happens to each call, and keeps what happened.
///
/// Changes and syncs are decided in their turn, so in the order of the trace and under the id that they have in it;
/// questions (reads, lookups) under ids of their own, from 2⁶³ on, for which calls reach the mount depends on what the
/// kernel has cached. Each kind of question is counted by itself: which other kinds are asked about, which a replay does of
/// all, is then no matter.
///
/// Threading: one lock, taken last. Without rules nothing of it is touched but one flag.
final class FaultInjector: @unchecked Sendable {
    private let lock = Lock()
    private var rules: RuleSet
    private var script: ScriptedFaults?
    private var happened: [InjectedFault] = []
    /// By kind, how many questions there were.
    private var questions = [UInt64](repeating: 0, count: OperationKind.allCases.count)
    private let active: Atomic<Bool>
    private let isRecording: Bool
    let delays = Delays()

    /// With a script there are no rules.
    init(rules: [Rule], seed: UInt64, script: ScriptedFaults?, isRecording: Bool) {
        self.isRecording = isRecording
        self.rules = RuleSet(rules, seed: seed)
        self.script = script
        active = Atomic(!rules.isEmpty || script != nil)
    }

    @inline(__always)
    var isActive: Bool { active.load(ordering: .relaxed) }

    /// Whether calls of this kind must be decided, and what must be known of them.
    func needs(_ kind: OperationKind) -> FaultNeeds? {
        guard isActive else { return nil }
        let needs = lock.withLock { script?.needs ?? rules.needs }
        return needs.kinds.contains(kind) ? needs : nil
    }

    /// The id of a call that leaves no trace.
    func nextQuestion(_ kind: OperationKind) -> OperationID {
        lock.withLock {
            questions[Int(kind.rawValue)] += 1
            return OperationID(question: kind, number: questions[Int(kind.rawValue)])
        }
    }

    func decide(_ attempt: Attempt, _ path: ByteString, _ other: ByteString?) -> Decisions {
        lock.withLock {
            let decisions: Decisions
            if script != nil {
                decisions = script!.decide(attempt, at: script!.match(path), and: other.map { script!.match($0) })
            } else {
                decisions = rules.decide(attempt, at: rules.match(path), and: other.map { rules.match($0) })
            }
            for decision in decisions.all { happened.append(InjectedFault(attempt, path: path, decision)) }
            return decisions
        }
    }

    /// Whether the reads of a file must reach the mount, past the kernel's cache.
    func concernsReads(of path: ByteString) -> Bool {
        guard isActive else { return false }
        return lock.withLock {
            if let script { return script.needs.kinds.contains(.read) }
            return rules.needs.kinds.contains(.read) && !rules.match(path).isEmpty
        }
    }

    /// Whether what is written over in a file must be kept, for a read of it may be stale.
    func wantsOlderBytes(of path: ByteString) -> Bool {
        lock.withLock {
            if let script { return script.needs.olderBytes }
            return rules.needs.olderBytes && !rules.match(path).isEmpty
        }
    }

    // MARK: Commands

    /// Refuses a rule that cannot be added.
    func check(_ rule: Rule) throws(Refusal) {
        try Self.check(rule, isRecording: isRecording)
        if lock.withLock({ script != nil }) { throw Refusal(reason: "a replay takes no rules") }
    }

    func add(_ rule: Rule) throws(Refusal) -> UInt64 {
        try check(rule)
        return lock.withLock {
            active.store(true, ordering: .relaxed)
            return rules.add(rule)
        }
    }

    /// The numbers of the rules, and the one that the next rule gets.
    var ruleNumbers: (all: Set<UInt64>, next: UInt64) {
        lock.withLock { (Set(rules.status.map(\.number)), rules.nextNumber) }
    }

    /// When no rule delays any longer, the delays under way end.
    func remove(_ number: UInt64) -> Bool {
        let (isRemoved, delays) = lock.withLock {
            defer { active.store(!rules.isEmpty || script != nil, ordering: .relaxed) }
            return (rules.remove(number: number), rules.needs.delays)
        }
        if isRemoved, !delays { self.delays.end() }
        return isRemoved
    }

    /// The delays under way end, too.
    func removeAll() {
        lock.withLock {
            rules.removeAll()
            active.store(script != nil, ordering: .relaxed)
        }
        delays.end()
    }

    /// What each rule counted.
    var ruleStatus: [RuleSet.Status] { lock.withLock { rules.status } }

    /// One line a rule, with what it counted.
    var status: String { ruleStatus.map { "\($0)\n" }.joined() }

    /// The faults that happened, in their order: a script.
    var faults: [InjectedFault] { lock.withLock { happened } }

    /// Refuses what a mount cannot do. ENOSYS would make the kernel stop asking, and so switch the fault off.
    static func check(_ rule: Rule, isRecording: Bool) throws(Refusal) {
        guard case .inject(let injection, _) = rule.action else { return }
        let everywhere: Injection.Everywhere?
        switch injection {
        case .sync(_, .lose) where !isRecording: throw Refusal(reason: "what a sync loses is known from a trace alone")
        case .other(.lock, _): throw Refusal(reason: "the kernel keeps locks itself: no rule can reach them")
        case .read(.everywhere(let fault), _), .write(.everywhere(let fault), _), .sync(_, .everywhere(let fault)),
            .directorySync(.everywhere(let fault)), .other(_, let fault), .any(let fault):
            everywhere = fault
        default: everywhere = nil
        }
        if case .fail(let error)? = everywhere, error.name == "ENOSYS" {
            throw Refusal(reason: "after ENOSYS the kernel would not ask again")
        }
    }
}
