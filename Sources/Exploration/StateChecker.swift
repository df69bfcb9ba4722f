import Bytes
import Glibc
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
    private let materialiser: TreeMaterialiser
    private let client: RecoverClient
    private let validator: Validator
    private let contract: Contract
    /// The oracle line that stands before the recording's first one.
    private let linesBefore: Int
    /// A directory of ours, for the states.
    private let scratch: ByteString
    private var evidence: [Tree: Evidence] = [:]
    private var hanging: Set<Tree> = []
    private var nextDirectory = 0

    /// States that were judged.
    package private(set) var decidedCount = 0
    /// Distinct states that were recovered.
    package var checkedCount: Int { evidence.count }
    /// Judged states that had lost something.
    package private(set) var lossyCount = 0

    package init(
        _ recording: Recording, client: RecoverClient, validator: Validator, contract: Contract, linesBefore: Int,
        scratch: ByteString
    ) {
        materialiser = TreeMaterialiser(payloads: recording.payloads)
        self.client = client
        self.validator = validator
        self.contract = contract
        self.linesBefore = linesBefore
        self.scratch = scratch
    }

    /// What the contract says of `state`.
    package func check(_ state: CrashState) throws -> Judgement {
        decidedCount += 1
        if !state.lost.isEmpty { lossyCount += 1 }
        return judge(try evidence(of: state.tree), at: state)
    }

    /// What the contract says of `state` when a process that has done nothing else recovers a copy of its own.
    package func confirm(_ state: CrashState) throws -> Judgement {
        let evidence = try recover(state.tree) { directory throws(TargetError) in try client.recoverAlone(directory) }
        self.evidence[state.tree] = evidence
        return judge(evidence, at: state)
    }

    /// Whether the recovery of this tree was seen to hang. Every look at such a state costs the target's whole timeout.
    package func hangs(_ tree: Tree) -> Bool { hanging.contains(tree) }

    /// How many distinct states hung.
    package var hangingCount: Int { hanging.count }

    /// A store that does not open because our scratch space is full says nothing about the store.
    private func refuseFullScratch() throws {
        var space = statvfs()
        guard scratch.withCString({ statvfs($0, &space) }) == 0 else { return }
        let isFull =
            UInt64(space.f_bavail) * UInt64(space.f_frsize) < 1 << 20 || space.f_files > 0 && space.f_favail == 0
        if isFull {
            throw TreeError.system(call: "recovering a state (its scratch space is full)", path: scratch, errno: ENOSPC)
        }
    }

    /// The real evidence behind the last judgement of `tree`, for the positive control.
    package func evidence(of tree: Tree) throws -> Evidence {
        if let known = evidence[tree] { return known }
        let found = try recover(tree) { directory throws(TargetError) in try client.recover(directory) }
        evidence[tree] = found
        return found
    }

    private func judge(_ evidence: Evidence, at state: CrashState) -> Judgement {
        validator.judge(evidence, contract: contract, at: linesBefore + state.oracleLineCount)
    }

    private func recover(
        _ tree: Tree, by recover: (ByteString) throws(TargetError) -> RecoverOutcome
    ) throws -> Evidence {
        nextDirectory += 1
        let directory = ByteString(scratch.bytes + Array("/state-\(nextDirectory)".utf8))
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        try materialiser.materialise(tree, into: directory)
        let first = try recover(directory)
        if case .hangs = first { hanging.insert(tree) }
        if case .opened = first {
        } else {
            try refuseFullScratch()
            return Evidence(first.recovery)
        }
        return Evidence(first.recovery, secondRecovery: try recover(directory).recovery)
    }
}
