import Bytes
import Glibc
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// Materialises crash states as files and recovers them with the target's recover command, each in its own directory. A
/// state with a link that leads out of its directory is recovered in a sandbox, or refused (`Confinement`).
///
/// Thread safe.
package final class ProcessRecovery: StateRecoverer {
    private let materialiser: TreeMaterialiser
    private let client: RecoverClient
    /// The directory for the states.
    private let scratch: ByteString
    private static let count = Atomic<Int>(0)
    private let recovery: DirectoryRecovery

    package init(payloads: any PayloadStore, client: RecoverClient, scratch: ByteString) {
        materialiser = TreeMaterialiser(payloads: payloads)
        self.client = client
        self.scratch = scratch
        recovery = DirectoryRecovery(client, scratch: scratch)
    }

    /// - Parameter inFreshProcess: recover in a process that has recovered nothing before.
    package func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        RecoveredState(
            evidence: try recovery.evidence(inFreshProcess: inFreshProcess) { try attempt(tree, inFreshProcess: $0) })
    }

    private func attempt(_ tree: Tree, inFreshProcess: Bool) throws -> DirectoryRecovery.Attempt {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let directory = scratch.appending(component: ByteString("state-\(number)"))
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        let links = tree.escapingLinks()
        try materialiser.materialise(tree, into: directory)
        return try recovery.attempt(directory, holding: links, number: number, inFreshProcess: inFreshProcess)
    }

    /// Smaller for a command that is spawned for each state, so that a time budget is kept.
    package var batchCount: Int { client.isPersistent ? 128 : 32 }

    package func recording(ofRecovering tree: Tree) -> Recording? { nil }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        ProcessRecovery(payloads: payloads, client: client, scratch: scratch)
    }
}
