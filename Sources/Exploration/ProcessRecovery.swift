import Bytes
import Glibc
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// Writes crash states as files and lets the target's recover command recover them, each in a directory of its own. A state
/// with a link that leads out of its directory is recovered in a sandbox, or refused: see `Confinement`.
///
/// Thread safe.
package final class ProcessRecovery: StateRecoverer {
    private let materialiser: TreeMaterialiser
    private let client: RecoverClient
    /// A directory of ours, for the states.
    private let scratch: ByteString
    private static let count = Atomic<Int>(0)
    private let recovery: DirectoryRecovery

    package init(payloads: any PayloadStore, client: RecoverClient, scratch: ByteString) {
        materialiser = TreeMaterialiser(payloads: payloads)
        self.client = client
        self.scratch = scratch
        recovery = DirectoryRecovery(client, scratch: scratch)
    }

    /// - Parameter isAlone: in a process that has done nothing else.
    package func recover(_ tree: Tree, isAlone: Bool) throws -> RecoveredState {
        RecoveredState(evidence: try recovery.evidence(isAlone: isAlone) { try attempt(tree, isAlone: $0) })
    }

    private func attempt(_ tree: Tree, isAlone: Bool) throws -> DirectoryRecovery.Attempt {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let directory = scratch.appending(component: ByteString("state-\(number)"))
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        let links = tree.leavingLinks()
        try materialiser.materialise(tree, into: directory)
        return try recovery.attempt(directory, holding: links, number: number, isAlone: isAlone)
    }

    /// A spawned command takes its time for each, and a budget is to end in time.
    package var batchCount: Int { client.isPersistent ? 128 : 32 }

    package func recording(ofRecovering tree: Tree) -> Recording? { nil }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        ProcessRecovery(payloads: payloads, client: client, scratch: scratch)
    }
}
