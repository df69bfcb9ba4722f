import Bytes
import Model
import Platform
import Synchronization

/// Decides which fault each call gets, by rules or by the fault script of an earlier run, and logs the injected faults.
///
/// Changes and syncs are decided within their recorder turn, in trace order and under their trace id. Queries (reads,
/// lookups) have ids of their own from 2⁶³ on: the kernel's cache decides which of them reach the mount. Queries are
/// numbered per kind, so the numbers of one kind do not depend on whether other kinds are counted: a replay counts all.
///
/// Threading: one lock, taken last. Without rules a call reads a single flag.
final class FaultInjector: @unchecked Sendable {
    private let lock = Lock()
    private var rules: RuleSet
    private var script: ScriptedFaults?
    private var injected: [InjectedFault] = []
    /// The number of queries so far, by kind.
    private var queryCounts = [UInt64](repeating: 0, count: OperationKind.allCases.count)
    private let active: Atomic<Bool>
    private let isRecording: Bool
    let delays = Delays()

    /// With a script, `rules` is empty.
    init(rules: [Rule], seed: UInt64, script: ScriptedFaults?, isRecording: Bool) {
        self.isRecording = isRecording
        self.rules = RuleSet(rules, seed: seed)
        self.script = script
        active = Atomic(!rules.isEmpty || script != nil)
    }

    @inline(__always)
    var isActive: Bool { active.load(ordering: .relaxed) }

    /// The facts that rules need about calls of this kind; nil when no rule can match.
    func needs(_ kind: OperationKind) -> FaultNeeds? {
        guard isActive else { return nil }
        let needs = lock.withLock { script?.needs ?? rules.needs }
        return needs.kinds.contains(kind) ? needs : nil
    }

    /// Allocates the id of a query.
    func nextQueryID(_ kind: OperationKind) -> OperationID {
        lock.withLock {
            queryCounts[Int(kind.rawValue)] += 1
            return OperationID(readOnlyCall: kind, number: queryCounts[Int(kind.rawValue)])
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
            for decision in decisions.all { injected.append(InjectedFault(attempt, path: path, decision)) }
            return decisions
        }
    }

    /// Whether a rule matches reads of this file: they must then bypass the kernel's cache.
    func affectsReads(of path: ByteString) -> Bool {
        guard isActive else { return false }
        return lock.withLock {
            if let script { return script.needs.kinds.contains(.read) }
            return rules.needs.kinds.contains(.read) && !rules.match(path).isEmpty
        }
    }

    /// Whether overwritten bytes of this file must be kept for stale reads.
    func needsOlderBytes(of path: ByteString) -> Bool {
        lock.withLock {
            if let script { return script.needs.olderBytes }
            return rules.needs.olderBytes && !rules.match(path).isEmpty
        }
    }

    // MARK: Commands

    /// Throws when the rule cannot be added.
    func check(_ rule: Rule) throws(CommandError) {
        try Self.check(rule, isRecording: isRecording)
        if lock.withLock({ script != nil }) { throw CommandError(reason: "a replay takes no rules") }
    }

    func add(_ rule: Rule) throws(CommandError) -> UInt64 {
        try check(rule)
        return lock.withLock {
            active.store(true, ordering: .relaxed)
            return rules.add(rule)
        }
    }

    /// The numbers of all rules, and the next free number.
    var ruleNumbers: (all: Set<UInt64>, next: UInt64) {
        lock.withLock { (Set(rules.status.map(\.number)), rules.nextNumber) }
    }

    /// Removing the last delay rule ends all current delays. False when there is no such rule.
    func remove(_ number: UInt64) -> Bool {
        let (isRemoved, delays) = lock.withLock {
            defer { active.store(!rules.isEmpty || script != nil, ordering: .relaxed) }
            return (rules.remove(number: number), rules.needs.delays)
        }
        if isRemoved, !delays { self.delays.endAll() }
        return isRemoved
    }

    /// Removes all rules and ends all current delays.
    func removeAll() {
        lock.withLock {
            rules.removeAll()
            active.store(script != nil, ordering: .relaxed)
        }
        delays.endAll()
    }

    /// The counters of each rule.
    var ruleStatus: [RuleSet.Status] { lock.withLock { rules.status } }

    /// One line per rule, with its counters.
    var status: String { ruleStatus.map { "\($0)\n" }.joined() }

    /// The injected faults, in order. They are also the script of a replay.
    var faults: [InjectedFault] { lock.withLock { injected } }

    /// Rejects rules that a mount cannot execute. After ENOSYS the kernel never sends that request again, so the fault
    /// would stop silently.
    static func check(_ rule: Rule, isRecording: Bool) throws(CommandError) {
        guard case .inject(let injection, _) = rule.action else { return }
        switch injection {
        case .sync(_, .lose) where !isRecording:
            throw CommandError(reason: "lose needs a recording: the trace says which writes are unsynced")
        case .other(.lock, _): throw CommandError(reason: "the kernel handles locks itself; rules cannot match them")
        default: break
        }
        if case .fail(let error)? = injection.genericFault, error.name == "ENOSYS" {
            throw CommandError(reason: "after ENOSYS the kernel would not send the request again")
        }
    }
}
