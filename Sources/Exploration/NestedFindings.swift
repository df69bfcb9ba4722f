import Model
import Oracle

/// What crashes during a recovery break, although the state that was recovered is right: a finding for each cause.
package struct NestedFindings {
    /// A cause, within the recovery's own trace, which begins with the state that the first crash left.
    package struct Finding {
        package var cause: FindingCollector.Cause
        package var recording: Recording
        /// The first crash.
        package var outer: CrashState
    }

    /// So many recoveries are looked into; further failing ones are counted with the first finding.
    private static let exploredAtMost = 20

    private let nesting: NestedExploration?
    private let recovery: any StateRecoverer
    private let judge: EvidenceJudge
    private var exploredCount = 0
    package private(set) var findings: [Finding] = []
    /// Failures that did not show once more.
    package private(set) var unconfirmedCount = 0

    init(_ nesting: NestedExploration?, recovery: any StateRecoverer, judge: EvidenceJudge) {
        self.nesting = nesting
        self.recovery = recovery
        self.judge = judge
    }

    /// Judges what crashes during the recovery of `outer` showed, at the oracle line at which it stands.
    mutating func judge(_ shown: [Evidence], of outer: CrashState) throws {
        guard let nesting, shown.contains(where: { judge.judge($0, at: outer).verdict == .violation }) else { return }
        exploredCount += 1
        let isOver = nesting.isOver
        if exploredCount > Self.exploredAtMost || isOver(), !findings.isEmpty {
            findings[0].cause.stateCount += 1
            return
        }
        guard let recording = try recovery.recording(ofRecovering: outer.tree) else { return }
        var innerJudge = judge
        // The recovery's trace has no lines: all of them come before it.
        innerJudge.linesBefore += outer.oracleLineCount
        let checker = StateChecker(recovery: recovery.reading(recording.payloads), judge: innerJudge)
        var collector = FindingCollector(recording)
        try nesting.forEachState(of: recording) { state, _ in
            let judgement = try checker.check(state)
            if judgement.verdict == .violation { try collector.add(state, judgement, checker, isOver: isOver) }
            // What was seen to fail must be shown, and nothing beyond that when it is time to end.
            return collector.causes.isEmpty || !isOver()
        }
        unconfirmedCount += collector.unconfirmedCount
        for cause in collector.causes {
            let known = findings.firstIndex {
                $0.cause.check == cause.check && $0.cause.loss.patterns == cause.loss.patterns
            }
            if let known {
                findings[known].cause.stateCount += cause.stateCount
            } else {
                findings.append(Finding(cause: cause, recording: recording, outer: outer))
            }
        }
    }
}
