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
        guard (directory.bytes + [0]).withUnsafeBytes({ mkdir($0.text, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        try materialiser.materialise(tree, into: directory)
        let first = try recover(directory)
        guard case .opened = first else { return Evidence(first.recovery) }
        return Evidence(first.recovery, secondRecovery: try recover(directory).recovery)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var text: UnsafePointer<CChar> { baseAddress!.assumingMemoryBound(to: CChar.self) }
}
