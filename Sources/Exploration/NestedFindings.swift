import Model
import Oracle
import Storage

/// Findings of crashes during the recovery of a state that recovers correctly without them: one for each cause.
package struct NestedFindings {
    /// A cause within the trace of a recovery. The base of the trace is the state of the first crash.
    package struct Finding {
        package var cause: FoundCause
        package var recording: Recording
        /// The first crash.
        package var outer: CrashState
    }

    /// An unstable state within the trace of a recovery.
    package struct Unstable {
        package var contradiction: Contradiction
        package var recording: Recording
        package var outer: CrashState
    }

    /// The most recoveries to explore in detail: for each symptom the first, second, fourth, eighth …
    private static let exploredAtMost = 60

    private let nesting: NestedExploration?
    private let recovery: any StateRecoverer
    private let judge: EvidenceJudge
    private let memory: MemoryBudget
    private var exploredCount = 0
    /// The number of failing recoveries for each symptom.
    private var counts: [Symptom: Int] = [:]
    package private(set) var findings: [Finding] = []
    /// The number of failing recoveries without a known cause.
    package private(set) var unexplained: [UnexplainedFailure: Int] = [:]
    /// The number of failures that a second recovery did not confirm.
    package private(set) var unconfirmedCount = 0
    package private(set) var unstable: [Unstable] = []

    init(_ nesting: NestedExploration?, recovery: any StateRecoverer, judge: EvidenceJudge, memory: MemoryBudget) {
        self.nesting = nesting
        self.recovery = recovery
        self.judge = judge
        self.memory = memory
    }

    /// The same without findings and counts.
    var emptied: NestedFindings { NestedFindings(nesting, recovery: recovery, judge: judge, memory: memory) }

    /// Judges the evidence of crashes during the recovery of `outer`, at the oracle line of `outer`.
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

    /// Counts a recovery that is not explored in detail with the causes of the same symptoms.
    private mutating func count(_ symptoms: [Symptom]) {
        for symptom in symptoms {
            let known = findings.firstIndex {
                $0.cause.cause == Cause(symptom, losses: $0.cause.cause.losses, isDuringRecovery: true)
            }
            if let known {
                findings[known].cause.stateCount += 1
            } else {
                unexplained[UnexplainedFailure(symptom, losses: nil), default: 0] += 1
            }
        }
    }

    private mutating func explore(_ outer: CrashState, _ nesting: NestedExploration) throws {
        guard let recording = try recovery.recording(ofRecovering: outer.tree) else { return }
        let isOver = nesting.isOver
        var innerJudge = judge
        // The trace of the recovery has no oracle lines: all of them come before it.
        innerJudge.linesBefore += outer.oracleLineCount
        let checker = StateChecker(
            recovery: recovery.reading(recording.payloads), judge: innerJudge, memory: memory)
        var collector = FindingCollector(recording, isDuringRecovery: true)
        try nesting.forEachState(of: recording) { state, _ in
            let judgement = try checker.check(state)
            if judgement.verdict == .violation { try collector.add(state, judgement, checker, isOver: isOver) }
            // When the exploration stops, one failure is still explained.
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
