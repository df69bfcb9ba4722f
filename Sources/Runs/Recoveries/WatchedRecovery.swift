import Bytes
import Exploration
import FaultFS
import Glibc
import Machine
import Model
import Platform
import Storage
import Synchronization
import Targets

/// Recovers crash states with a target's recover command, and can note what a recovery reads: such a state is shown by a
/// mount, from memory. The others are files in a directory.
///
/// Thread safe. The mount is made for the first noted state, and ends with the last reference.
package final class WatchedRecovery: StateRecoverer {
    private let target: ConfiguredTarget
    private let client: RecoverClient
    private let payloads: any PayloadStore
    private let context: RunContext
    private let scratch: ByteString
    private let states: ProcessRecovery
    private let recovery: DirectoryRecovery
    private let images = FileImages()
    private let mount: SharedMount
    private static let count = Atomic<Int>(0)

    package convenience init(
        _ target: ConfiguredTarget, client: RecoverClient, payloads: any PayloadStore, context: RunContext,
        scratch: ByteString
    ) {
        self.init(
            target, client, payloads, context, scratch: scratch,
            SharedMount(context, scratch.appending(component: "mount"), allowOther: target.target.user != nil))
    }

    private init(
        _ target: ConfiguredTarget, _ client: RecoverClient, _ payloads: any PayloadStore, _ context: RunContext,
        scratch: ByteString, _ mount: SharedMount
    ) {
        self.target = target
        self.client = client
        self.payloads = payloads
        self.context = context
        self.scratch = scratch
        self.mount = mount
        states = ProcessRecovery(payloads: payloads, client: client, scratch: scratch)
        recovery = DirectoryRecovery(client, scratch: scratch)
    }

    package func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        try states.recover(tree, inFreshProcess: inFreshProcess)
    }

    package var notesReads: Bool { true }

    package func recoverNotingReads(_ tree: Tree) throws -> RecoveredState {
        // A sandbox may not reach the mount.
        guard tree.escapingLinks().isEmpty else { return try states.recover(tree, inFreshProcess: false) }
        var reads: [Read] = []
        let evidence = try client.clock.measure(.whole) {
            try recovery.evidence(inFreshProcess: false) { inFreshProcess in
                let number = Self.count.add(1, ordering: .relaxed).newValue
                let served = try mount.get().serve(tree, payloads, sharing: images) { directory in
                    try recovery.attempt(
                        directory, holding: [], number: number, inFreshProcess: inFreshProcess, comparesLeftovers: false
                    )
                }
                reads = served.reads
                return served.result
            }
        }
        return RecoveredState(evidence: evidence, reads: reads)
    }

    package func recording(ofRecovering tree: Tree) throws -> Recording? { nil }

    package var batchCount: Int { states.batchCount }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        WatchedRecovery(target, client, payloads, context, scratch: scratch, mount)
    }
}

/// A mount of crash states that is made when it is needed. Thread safe.
private final class SharedMount: Sendable {
    private let context: RunContext
    private let mountPoint: ByteString
    private let allowOther: Bool
    private let mount = Guarded<StateMount?>(nil)

    init(_ context: RunContext, _ mountPoint: ByteString, allowOther: Bool) {
        self.context = context
        self.mountPoint = mountPoint
        self.allowOther = allowOther
    }

    func get() throws -> StateMount {
        try mount.withLock { mount in
            if let mount { return mount }
            try RunFiles.makeDirectory(mountPoint)
            try context.willMount(mountPoint)
            let made = try StateMount(mountPoint, allowOther: allowOther)
            mount = made
            return made
        }
    }

    deinit {
        guard mount.withLock({ $0 }) != nil else { return }
        // There is no caller to report an error to; `cleanup` finds what is left.
        do {
            try mount.withLock { try $0?.unmount() }
            try context.didUnmount(mountPoint)
        } catch {}
    }
}
