import Bytes
import Model
import Oracle
import Storage
import Targets

/// Checks crash states of one recording: materialise, recover, observe, judge.
///
/// Each distinct tree is recovered once; its observation is judged at every oracle position that it serves. A persistent
/// recover process may carry something over from state to state: `confirm` what it finds wrong before reporting it.
/// Not thread safe.
package final class StateChecker {
    private let recovery: any StateRecoverer
    private let judge: EvidenceJudge
    /// By the digest of each tree that was recovered: the number of what it showed. No tree is kept: of a store of many
    /// files one is large.
    private var numbers: [StateHash: Int] = [:]
    private let shown: EvidenceArchive
    private var hanging: Set<StateHash> = []

    /// Called before each recovery: it may take long.
    package var willRecover: () -> Void = {}

    package private(set) var counts = ExplorationCounts()

    package init(recovery: any StateRecoverer, judge: EvidenceJudge, memory: MemoryBudget) {
        self.recovery = recovery
        self.judge = judge
        shown = EvidenceArchive(memory)
    }

    /// Through the target's recover command, each state in a directory beneath `scratch`.
    package convenience init(
        _ recording: Recording, client: RecoverClient, validator: Validator, contract: Contract, linesBefore: Int,
        scratch: ByteString, memory: MemoryBudget
    ) {
        self.init(
            recovery: ProcessRecovery(payloads: recording.payloads, client: client, scratch: scratch),
            judge: EvidenceJudge(validator, contract, linesBefore: linesBefore), memory: memory)
    }

    /// What the contract says of `state`.
    package func check(_ state: CrashState) throws -> Judgement {
        counts.decided += 1
        if !state.lost.isEmpty { counts.lossy += 1 }
        return judge(try evidence(of: state.tree), at: state)
    }

    /// What the contract says of `state` when a process that has done nothing else recovers a copy of its own.
    package func confirm(_ state: CrashState) throws -> Judgement {
        let digest = state.tree.digest
        let evidence = try recover(state.tree, digest, isAlone: true)
        try enter(evidence, digest)
        return judge(evidence, at: state)
    }

    /// Whether the recovery of this tree was seen to hang. Every look at such a state costs the target's whole timeout.
    package func hangs(_ tree: Tree) -> Bool { !hanging.isEmpty && hanging.contains(tree.digest) }

    /// How many distinct states hung.
    package var hangingCount: Int { hanging.count }

    /// The real evidence behind the last judgement of `tree`, for the positive control.
    package func evidence(of tree: Tree) throws -> Evidence {
        let digest = tree.digest
        if let number = numbers[digest] { return try shown.shown(number).evidence }
        let evidence = try recover(tree, digest, isAlone: false)
        try enter(evidence, digest)
        return evidence
    }

    private func enter(_ evidence: Evidence, _ digest: StateHash) throws {
        let item = EvidenceArchive.Item.inMemory(ShownState(evidence: evidence))
        if let number = numbers[digest] { return try shown.replace(number, with: item) }
        numbers[digest] = try shown.add(item)
        counts.checked += 1
    }

    private func judge(_ evidence: Evidence, at state: CrashState) -> Judgement {
        judge.judge(evidence, at: state)
    }

    private func recover(_ tree: Tree, _ digest: StateHash, isAlone: Bool) throws -> Evidence {
        willRecover()
        let recovered = try recovery.recover(tree, isAlone: isAlone)
        if recovered.hung { hanging.insert(digest) }
        return recovered.evidence
    }
}
