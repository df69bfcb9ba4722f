import Block
import Exploration
import Oracle

extension Confirmation {
    /// Whether a run below `filesystem` shows `cause`.
    ///
    /// File-level losses cannot be compared with sector-level ones, so only the broken check and its kind must agree.
    package init(of cause: TargetCause, below filesystem: BlockFilesystem, in attempt: Attempt) {
        self.init(Self.outcome(of: cause, in: attempt), below: filesystem, kernel: RunResult.Block.runningKernel)
    }

    private static func outcome(of cause: TargetCause, in attempt: Attempt) -> Outcome {
        switch attempt {
        case .cannot(let reason): return .cannotBeSeen(reason: reason)
        case .ran(let result):
            let seen = result.findings.filter { cause.breaksTheSame(as: $0) }.reduce(0) { $0 + $1.states }
            if seen > 0 { return .seen(states: seen, of: result.states.decided) }
            let isPartial = result.explored?.isPartial ?? false
            if result.verdict == .harnessError || result.verdict == .inconclusive && !isPartial {
                return .cannotBeSeen(reason: result.reason ?? result.verdict.rawValue)
            }
            return .notSeen(of: result.states.decided, explored: isPartial ? result.explored : nil)
        }
    }
}

extension TargetCause {
    /// Whether a finding breaks the same check in the same way, regardless of the lost writes.
    fileprivate func breaksTheSame(as finding: Finding) -> Bool {
        guard .check(finding.check) == check else { return false }
        guard let cause, let theirs = finding.cause else { return true }
        return cause.isHang == theirs.isHang && cause.hasAcknowledged == theirs.hasAcknowledged
    }
}
