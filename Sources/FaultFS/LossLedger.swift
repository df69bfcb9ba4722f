import Glibc
import Model

/// What a crash could lose now, worked out from the recording when it is asked for.
struct LossLedger: Sendable {
    let base: Tree
    let trace: any TraceSink
    let profile: Profile
    let undo: UndoStore

    /// The data of everything recorded and of the files as they were mounted.
    var payloads: MountPayloads { MountPayloads(recorded: trace.payloads, base: undo) }

    func pending() throws -> PendingSet { try pending(profile) }

    /// The same by another profile.
    func pending(_ profile: Profile, unitBytes: UInt64? = nil) throws -> PendingSet {
        var pending = PendingSet(profile: profile, base: base, unitBytes: unitBytes)
        for event in try trace.events() { pending.add(event) }
        return pending
    }

    /// What an inode holds, and what of it was synced. Nil when a crash could not bring it back at all.
    func contents(of inode: InodeID) throws(Errno) -> (now: Model.Node, synced: Model.Node)? {
        let set: PendingSet
        do { set = try pending() } catch { throw Errno(EIO) }
        guard let now = set.tree(set.survivors(.everything)).nodes[inode],
            let synced = set.durable.nodes[inode]
        else { return nil }
        return (now, synced)
    }
}
