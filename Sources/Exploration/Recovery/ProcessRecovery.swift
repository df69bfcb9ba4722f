import Bytes
import Glibc
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// Materialises crash states as files and recovers them with the target's recover command, each at its own path. A state
/// with a link that leads out of its directory is recovered in a sandbox, or refused (`Confinement`).
///
/// Thread safe.
package final class ProcessRecovery: StateRecoverer {
    private let directories: StateDirectories
    private let client: RecoverClient
    /// The directory for the states.
    private let scratch: ByteString
    private let keepsDirectories: Bool
    private static let count = Atomic<Int>(0)
    private let recovery: DirectoryRecovery

    /// - Parameter keepsDirectories: turn the directory of a large state into the next state (`StateDirectories`).
    package init(
        payloads: any PayloadStore, client: RecoverClient, scratch: ByteString, keepsDirectories: Bool = true
    ) {
        directories = StateDirectories(payloads: payloads, scratch: scratch, keeps: keepsDirectories)
        self.keepsDirectories = keepsDirectories
        self.client = client
        self.scratch = scratch
        recovery = DirectoryRecovery(client, scratch: scratch)
    }

    /// - Parameter inFreshProcess: recover in a process that has recovered nothing before.
    package func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        RecoveredState(
            evidence: try client.clock.measure(.whole) {
                try recovery.evidence(inFreshProcess: inFreshProcess) { try attempt(tree, inFreshProcess: $0) }
            })
    }

    private func attempt(_ tree: Tree, inFreshProcess: Bool) throws -> DirectoryRecovery.Attempt {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let links = tree.escapingLinks()
        let mayBeReused = !inFreshProcess && links.isEmpty
        return try directories.with(tree, number: number, mayBeReused: mayBeReused) { directory, isReleased in
            try recovery.attempt(
                directory, holding: links, number: number, inFreshProcess: inFreshProcess,
                comparesLeftovers: !StateDirectories.isLarge(tree), releasing: &isReleased)
        }
    }

    /// Smaller for a command that is spawned for each state, so that a time budget is kept.
    package var batchCount: Int { client.isPersistent ? 128 : 32 }

    package func recording(ofRecovering tree: Tree) -> Recording? { nil }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        ProcessRecovery(payloads: payloads, client: client, scratch: scratch, keepsDirectories: keepsDirectories)
    }
}
