import Model
import Oracle
import Storage

/// What crashes during a recovery break, although the state that was recovered is right: a finding for each cause.
package struct NestedFindings {
    /// A cause, within the recovery's own trace, which begins with the state that the first crash left.
    package struct Finding {
        package var cause: FoundCause
        package var recording: Recording
        /// The first crash.
        package var outer: CrashState
    }

    /// A state that showed different things, within the recovery's own trace.
    package struct Unstable {
        package var contradiction: Contradiction
        package var recording: Recording
        package var outer: CrashState
    }

    /// So many recoveries are looked into: of those that fail in one way the first, second, fourth, eighth …
    private static let exploredAtMost = 60

    private let nesting: NestedExploration?
    private let recovery: any StateRecoverer
    private let judge: EvidenceJudge
    private let memory: MemoryBudget
    private var exploredCount = 0
    /// How many recoveries fail in each way.
    private var counts: [Symptom: Int] = [:]
    package private(set) var findings: [Finding] = []
    /// Failing recoveries of which no cause is known.
    package private(set) var unexplained: [Check: Int] = [:]
    /// Failures that did not show once more.
    package private(set) var unconfirmedCount = 0
    package private(set) var unstable: [Unstable] = []

    init(_ nesting: NestedExploration?, recovery: any StateRecoverer, judge: EvidenceJudge, memory: MemoryBudget) {
        self.nesting = nesting
        self.recovery = recovery
        self.judge = judge
        self.memory = memory
    }

    /// Judges what crashes during the recovery of `outer` showed, at the oracle line at which it stands.
    mutating func judge(_ shown: [Evidence], of outer: CrashState) throws {
        guard let nesting, !shown.isEmpty else { return }
        var symptoms: [Symptom] = []
        for evidence in shown {
            if let symptom = judge.judge(evidence, at: outer).symptom, !symptoms.contains(symptom) {
                symptoms.append(symptom)
            }
        }
        var isWorthIt = false
        for symptom in symptoms {
            let count = counts[symptom, default: 0] + 1
            counts[symptom] = count
            isWorthIt = isWorthIt || count & (count - 1) == 0
        }
        let isOver = nesting.isOver
        let hasTime = exploredCount < Self.exploredAtMost && (!isOver() || findings.isEmpty)
        guard isWorthIt && hasTime else { return count(symptoms) }
        exploredCount += 1
        try explore(outer, nesting)
    }

    /// Counts a recovery that is not looked into with the causes that fail in the same ways.
    private mutating func count(_ symptoms: [Symptom]) {
        for symptom in symptoms {
            let known = findings.firstIndex {
                $0.cause.cause == Cause(symptom, losses: $0.cause.cause.losses, isDuringRecovery: true)
            }
            if let known { findings[known].cause.stateCount += 1 } else { unexplained[symptom.check, default: 0] += 1 }
        }
    }

    private mutating func explore(_ outer: CrashState, _ nesting: NestedExploration) throws {
        guard let recording = try recovery.recording(ofRecovering: outer.tree) else { return }
        let isOver = nesting.isOver
        var innerJudge = judge
        // The recovery's trace has no lines: all of them come before it.
        innerJudge.linesBefore += outer.oracleLineCount
        let checker = StateChecker(
            recovery: recovery.reading(recording.payloads), judge: innerJudge, memory: memory)
        var collector = FindingCollector(recording, isDuringRecovery: true)
        try nesting.forEachState(of: recording) { state, _ in
            let judgement = try checker.check(state)
            if judgement.verdict == .violation { try collector.add(state, judgement, checker, isOver: isOver) }
            // What was seen to fail must be shown, and nothing beyond that when it is time to end.
            return collector.causes.isEmpty || !isOver()
        }
        unconfirmedCount += collector.unconfirmedCount
        unexplained.merge(collector.unexplained, uniquingKeysWith: +)
        for contradiction in collector.contradictions where unstable.count < Contradiction.keptAtMost {
            unstable.append(Unstable(contradiction: contradiction, recording: recording, outer: outer))
        }
        for cause in collector.causes {
            if let known = findings.firstIndex(where: { $0.cause.cause == cause.cause }) {
                findings[known].cause.stateCount += cause.stateCount
            } else {
                findings.append(Finding(cause: cause, recording: recording, outer: outer))
            }
        }
    }
}
