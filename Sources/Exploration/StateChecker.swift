import Bytes
import Model
import Oracle
import Targets

/// Checks crash states of one recording: materialise, recover, observe, judge.
///
/// Each distinct tree is recovered once; its observation is judged at every oracle position that it serves. A persistent
/// recover process may carry something over from state to state: `confirm` what it finds wrong before reporting it.
/// Not thread safe.
package final class StateChecker {
    private let recovery: any StateRecoverer
    private let judge: EvidenceJudge
    private var evidence: [Tree: Evidence] = [:]
    private var hanging: Set<Tree> = []

    /// Called before each recovery: it may take long.
    package var willRecover: () -> Void = {}

    /// States that were judged.
    package private(set) var decidedCount = 0
    /// Distinct states that were recovered.
    package var checkedCount: Int { evidence.count }
    /// Judged states that had lost something.
    package private(set) var lossyCount = 0

    package init(recovery: any StateRecoverer, judge: EvidenceJudge) {
        self.recovery = recovery
        self.judge = judge
    }

    /// Through the target's recover command, each state in a directory beneath `scratch`.
    package convenience init(
        _ recording: Recording, client: RecoverClient, validator: Validator, contract: Contract, linesBefore: Int,
        scratch: ByteString
    ) {
        self.init(
            recovery: ProcessRecovery(payloads: recording.payloads, client: client, scratch: scratch),
            judge: EvidenceJudge(validator, contract, linesBefore: linesBefore))
    }

    /// What the contract says of `state`.
    package func check(_ state: CrashState) throws -> Judgement {
        decidedCount += 1
        if !state.lost.isEmpty { lossyCount += 1 }
        return judge(try evidence(of: state.tree), at: state)
    }

    /// What the contract says of `state` when a process that has done nothing else recovers a copy of its own.
    package func confirm(_ state: CrashState) throws -> Judgement {
        let evidence = try recover(state.tree, isAlone: true)
        self.evidence[state.tree] = evidence
        return judge(evidence, at: state)
    }

    /// Whether the recovery of this tree was seen to hang. Every look at such a state costs the target's whole timeout.
    package func hangs(_ tree: Tree) -> Bool { hanging.contains(tree) }

    /// How many distinct states hung.
    package var hangingCount: Int { hanging.count }

    /// The real evidence behind the last judgement of `tree`, for the positive control.
    package func evidence(of tree: Tree) throws -> Evidence {
        if let known = evidence[tree] { return known }
        let found = try recover(tree, isAlone: false)
        evidence[tree] = found
        return found
    }

    private func judge(_ evidence: Evidence, at state: CrashState) -> Judgement {
        judge.judge(evidence, at: state)
    }

    private func recover(_ tree: Tree, isAlone: Bool) throws -> Evidence {
        willRecover()
        let recovered = try recovery.recover(tree, isAlone: isAlone)
        if recovered.hung { hanging.insert(tree) }
        return recovered.evidence
    }
}
