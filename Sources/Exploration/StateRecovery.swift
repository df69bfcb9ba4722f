import Bytes
import Glibc
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// Writes crash states as files and lets the target recover them, each in a directory of its own. Thread safe.
final class StateRecovery: Sendable {
    private let materialiser: TreeMaterialiser
    private let client: RecoverClient
    /// A directory of ours, for the states.
    private let scratch: ByteString
    private let count = Atomic<Int>(0)

    init(_ recording: Recording, client: RecoverClient, scratch: ByteString) {
        materialiser = TreeMaterialiser(payloads: recording.payloads)
        self.client = client
        self.scratch = scratch
    }

    /// What recovering `tree` shows, twice if it opens; and whether it hung.
    ///
    /// - Parameter isAlone: in a process that has done nothing else.
    func recover(_ tree: Tree, isAlone: Bool = false) throws -> (evidence: Evidence, hung: Bool) {
        let number = count.add(1, ordering: .relaxed).newValue
        let directory = scratch.appending(component: ByteString("state-\(number)"))
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        try materialiser.materialise(tree, into: directory)
        let first = isAlone ? try client.recoverAlone(directory) : try client.recover(directory)
        guard case .opened = first else {
            try FreeSpace.require(in: scratch, doing: "recovering a state")
            if case .hangs = first { return (Evidence(first.recovery), true) }
            return (Evidence(first.recovery), false)
        }
        let second = isAlone ? try client.recoverAlone(directory) : try client.recover(directory)
        if case .opened = second {} else { try FreeSpace.require(in: scratch, doing: "recovering a state again") }
        return (Evidence(first.recovery, secondRecovery: second.recovery), false)
    }
}
