import Bytes
import Glibc
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// Writes crash states as files and lets the target's recover command recover them, each in a directory of its own.
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
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let directory = scratch.appending(component: ByteString("state-\(number)"))
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        try materialiser.materialise(tree, into: directory)
        let first = isAlone ? try client.recoverAlone(directory) : try client.recover(directory)
        guard case .opened = first else {
            try FreeSpace.require(in: scratch, doing: "recovering a state")
            if case .hangs = first { return RecoveredState(evidence: Evidence(first.recovery), hung: true) }
            return RecoveredState(evidence: Evidence(first.recovery))
        }
        func again() throws -> Recovery {
            let second = isAlone ? try client.recoverAlone(directory) : try client.recover(directory)
            if case .opened = second {} else { try FreeSpace.require(in: scratch, doing: "recovering a state again") }
            return second.recovery
        }
        let left = isAlone ? nil : DirectoryContents.read(directory).map(StateHash.init(of:))
        let second = try left.map { try seconds.recovery(after: $0, number: number, again) } ?? again()
        return RecoveredState(evidence: Evidence(first.recovery, secondRecovery: second))
    }

    /// A spawned command takes its time for each, and a budget is to end in time.
    package var batchCount: Int { client.isPersistent ? 128 : 32 }

    package func recording(ofRecovering tree: Tree) -> Recording? { nil }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        ProcessRecovery(payloads: payloads, client: client, scratch: scratch)
    }
}
