import Bytes
import Model
import Oracle
import Storage
import Targets

/// Checks crash states of a recording: materialise, recover, observe, judge.
///
/// Each distinct tree is recovered once; its evidence is judged at every oracle line at which the tree occurs. A persistent
/// recover process may carry data over from state to state: call `confirm` before you report a failure. Not thread safe.
package final class StateChecker {
    package let recovery: any StateRecoverer
    package let judge: EvidenceJudge
    /// By the digest of a recovered tree: the number of its evidence. Trees are not kept, because they may be large.
    private var numbers: [StateHash: Int] = [:]
    private let shown: EvidenceArchive
    private var hanging: Set<StateHash> = []

    /// Called before each recovery, which may take long.
    package var willRecover: () -> Void = {}

    package private(set) var counts = ExplorationCounts()

    package init(recovery: any StateRecoverer, judge: EvidenceJudge, memory: MemoryBudget) {
        self.recovery = recovery
        self.judge = judge
        shown = EvidenceArchive(memory)
    }

    /// A checker that uses the target's recover command, with each state in a directory below `scratch`.
    package convenience init(
        _ recording: Recording, client: RecoverClient, validator: Validator, contract: Contract, linesBefore: Int,
        scratch: ByteString, memory: MemoryBudget
    ) {
        self.init(
            recovery: ProcessRecovery(payloads: recording.payloads, client: client, scratch: scratch),
            judge: EvidenceJudge(validator, contract, linesBefore: linesBefore), memory: memory)
    }

    /// Judges `state` by the contract.
    package func check(_ state: CrashState) throws -> Judgement {
        counts.decided += 1
        if !state.lost.isEmpty { counts.lossy += 1 }
        return judge(try evidence(of: state.tree), at: state)
    }

    /// The same for a state that is only shown beside a finding, and that the counts leave out.
    package func checkUncounted(_ state: CrashState) throws -> Judgement {
        let before = counts
        defer { counts = before }
        return try check(state)
    }

    /// Judges `state` by the contract after a recovery in a fresh process.
    package func confirm(_ state: CrashState) throws -> Judgement {
        let digest = state.tree.digest
        let evidence = try recover(state.tree, digest, inFreshProcess: true)
        try enter(evidence, digest)
        return judge(evidence, at: state)
    }

    /// Whether the recovery of this tree hung before. Each further recovery costs the target's whole timeout.
    package func hangs(_ tree: Tree) -> Bool { !hanging.isEmpty && hanging.contains(tree.digest) }

    /// How many distinct states hung.
    package var hangingCount: Int { hanging.count }

    /// The evidence of `tree`, recovered if it is not known.
    package func evidence(of tree: Tree) throws -> Evidence {
        let digest = tree.digest
        if let number = numbers[digest] { return try shown.shown(number).evidence }
        let evidence = try recover(tree, digest, inFreshProcess: false)
        try enter(evidence, digest)
        return evidence
    }

    private func enter(_ evidence: Evidence, _ digest: StateHash) throws {
        let item = EvidenceArchive.Item.inMemory(StateEvidence(evidence: evidence))
        if let number = numbers[digest] { return try shown.replace(number, with: item) }
        numbers[digest] = try shown.add(item)
        counts.checked += 1
    }

    private func judge(_ evidence: Evidence, at state: CrashState) -> Judgement {
        judge.judge(evidence, at: state)
    }

    private func recover(_ tree: Tree, _ digest: StateHash, inFreshProcess: Bool) throws -> Evidence {
        willRecover()
        let recovered = try recovery.recover(tree, inFreshProcess: inFreshProcess)
        if recovered.hung { hanging.insert(digest) }
        return recovered.evidence
    }
}
