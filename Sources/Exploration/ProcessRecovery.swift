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
    private let seconds = SecondRecoveries()

    package init(payloads: any PayloadStore, client: RecoverClient, scratch: ByteString) {
        materialiser = TreeMaterialiser(payloads: payloads)
        self.client = client
        self.scratch = scratch
    }

    /// - Parameter isAlone: in a process that has done nothing else.
    package func recover(_ tree: Tree, isAlone: Bool) throws -> RecoveredState {
        let first = try attempt(tree, isAlone: isAlone)
        guard let doubtful = first.doubtful else { return first.recovered }
        let second = try attempt(tree, isAlone: true)
        if second.doubtful == nil, case .opened = second.recovered.evidence.recovery { client.remark(on: doubtful) }
        return second.recovered
    }

    private struct Attempt {
        var recovered: RecoveredState
        /// What is to be tried again, on a new copy, before it counts.
        var doubtful: RecoverOutcome?
    }

    private func attempt(_ tree: Tree, isAlone: Bool) throws -> Attempt {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let directory = scratch.appending(component: ByteString("state-\(number)"))
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        let client = try client.confined(for: tree.leavingLinks(), in: scratch)
        try materialiser.materialise(tree, into: directory)
        func recover(_ doing: String) throws -> RecoverOutcome {
            let outcome = isAlone ? try client.recoverOnce(directory) : try client.recover(directory)
            if case .opened = outcome {} else { try FreeSpace.require(in: scratch, doing: doing) }
            return outcome
        }
        let first = try recover("recovering a state")
        guard case .opened = first else {
            return Attempt(
                recovered: RecoveredState(evidence: Evidence(first.recovery)),
                doubtful: first.needsRepeating ? first : nil)
        }
        var doubtful: RecoverOutcome?
        func again() throws -> Recovery {
            let outcome = try recover("recovering a state again")
            if outcome.needsRepeating { doubtful = outcome }
            return outcome.recovery
        }
        let left = isAlone ? nil : DirectoryContents.read(directory).map(StateHash.init(of:))
        let shown = first.recovery
        let second = try left.map { try seconds.recovery(after: $0, showing: shown, number: number, again) } ?? again()
        // One copy where both are the same: what a state shows may be megabytes.
        let evidence = Evidence(shown, secondRecovery: second == shown ? shown : second)
        return Attempt(recovered: RecoveredState(evidence: evidence), doubtful: doubtful)
    }

    /// A spawned command takes its time for each, and a budget is to end in time.
    package var batchCount: Int { client.isPersistent ? 128 : 32 }

    package func recording(ofRecovering tree: Tree) -> Recording? { nil }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        ProcessRecovery(payloads: payloads, client: client, scratch: scratch)
    }
}
