import Bytes
import Exploration
import FaultFS
import Glibc
import Machine
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// Recovers crash states through a target's commands. A FaultFS mount records the storage operations of a recovery or
/// of a write after it. Thread safe: each recording has a mount of its own.
package struct MountedRecovery: StateRecoverer {
    private let target: ConfiguredTarget
    private let client: RecoverClient
    private let context: RunContext
    private let payloads: any PayloadStore
    private let states: ProcessRecovery
    /// The directory for restored states and mounts.
    private let scratch: ByteString
    private let probing: Probing?
    private static let count = Atomic<Int>(0)

    /// Probes each recovered store: one operation of the workload, then a second power cut under `profile`.
    package struct Probing: Sendable {
        package var profile: Profile
        package var seed: UInt64

        package init(profile: Profile, seed: UInt64) {
            self.profile = profile
            self.seed = seed
        }
        /// The operation's sequence number: above those of any workload, and not one at which the built-in workload
        /// deletes.
        package static let seq: UInt64 = 1_000_001
    }

    package init(
        _ target: ConfiguredTarget, client: RecoverClient, payloads: any PayloadStore, context: RunContext,
        scratch: ByteString, probing: Probing?
    ) {
        self.target = target
        self.client = client
        self.context = context
        self.payloads = payloads
        self.scratch = scratch
        self.probing = probing
        states = ProcessRecovery(payloads: payloads, client: client, scratch: scratch)
    }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        MountedRecovery(
            target, client: client, payloads: payloads, context: context, scratch: scratch, probing: probing)
    }

    package func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        var recovered = try states.recover(tree, inFreshProcess: inFreshProcess)
        if let probing, case .opened(let observation) = recovered.evidence.recovery {
            recovered.evidence.probe = try probe(tree, holding: observation, probing, inFreshProcess: inFreshProcess)
        }
        return recovered
    }

    /// Small, because each state needs mounts, which take tens of milliseconds.
    package var batchCount: Int { 4 }

    package func recording(ofRecovering tree: Tree) throws -> Recording? {
        let client = try client.confined(for: tree.escapingLinks(), in: scratch)
        return try recording(workingOn: tree) { mountPoint, _ in _ = try client.recoverAlone(mountPoint) }
    }

    // MARK: - On a mount

    /// Mounts a directory with the content of `tree`, runs `work` on it, and returns the recording.
    ///
    /// - Parameter work: receives the mount point and the path of the oracle file.
    private func recording(
        workingOn tree: Tree, _ work: (_ mountPoint: ByteString, _ oracle: ByteString) throws -> Void
    ) throws -> Recording {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let place = scratch.appending(component: ByteString("recovery-\(number)"))
        let backing = place.appending(component: "store")
        for directory in [place, backing] { try RunFiles.makeDirectory(directory) }
        // The recording keeps the trace file open, so its name may go.
        defer { try? TreeRemoval.remove(place) }
        try TreeMaterialiser(payloads: payloads).materialise(tree, into: backing)
        let oracle = place.appending(component: "oracle")
        var options = MountOptions()
        options.oraclePath = oracle
        options.threadLimit = 4
        let mount = RecordedMount(
            context: context, backing: backing, mountPoint: place.appending(component: "mount"),
            trace: place.appending(component: "trace"), target: target)
        return try mount.record(options) { try work($0.mountPoint, oracle) }.recording
    }

    /// Runs one operation of the workload, then derives the crash state right after its acknowledgement with every
    /// unsynced change lost, and judges its recovery.
    private func probe(
        _ tree: Tree, holding observation: Observation, _ probing: Probing, inFreshProcess: Bool
    ) throws -> Evidence.Probe {
        let target = try target.confined(for: tree.escapingLinks(), in: scratch)
        var end: (termination: Termination?, said: String) = (nil, "")
        let recording = try recording(workingOn: tree) { mountPoint, oracle in
            let environment = WorkloadEnvironment(
                directory: mountPoint, oracle: mountPoint.appending(component: ".faultline/oracle"),
                seed: probing.seed, operationCount: 1, firstSeq: Probing.seq)
            let run = try WorkloadRun(target, environment)
            end.termination = try run.finish(watching: oracle, shouldStop: context.shouldStop)
            end.said = run.errorOutput
        }
        guard let termination = end.termination else { throw RunError.interrupted }
        for (crashPoint, payload) in recording.oracleLines {
            let text = try recording.payloads.bytes(of: payload)
            guard case .acknowledged(let operation) = try OracleLine.parse(text, line: 1) else { continue }
            let state = try recording.state(probing.profile, at: crashPoint, .nothing)
            let left = ProcessRecovery(payloads: recording.payloads, client: client, scratch: scratch)
            let shown = try left.recover(state.tree, inFreshProcess: inFreshProcess).evidence.recovery
            return Self.judge(shown, after: operation, holding: observation)
        }
        let said = end.said.isEmpty ? "" : "; it said: \(end.said)"
        return .refused(reason: "the workload \(termination) and acknowledged nothing\(said)")
    }

    private static func judge(
        _ shown: Recovery, after operation: OracleOperation, holding observation: Observation
    ) -> Evidence.Probe {
        switch shown {
        case .failed, .hung, .filesystemBroken:
            return .lost(reason: "the store does not open after the next power cut: \(shown.failure ?? "")")
        case .opened(let found):
            let wanted: [UInt8]? = if case .put(let payload) = operation.action { payload } else { nil }
            guard found[operation.key] == wanted else {
                return .unkept(reason: "what was written to \(operation.key) after recovery is gone")
            }
            let others = { (all: Observation) in all.entries.filter { $0.key != operation.key } }
            return others(found) == others(observation)
                ? .kept : .unkept(reason: "after the next power cut other keys have changed")
        }
    }
}
