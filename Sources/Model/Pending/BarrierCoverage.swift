/// The effects that a successful barrier makes durable. This is the only place that interprets a profile's scopes. The
/// dependencies of these effects (`Requirements`) become durable with them.
struct BarrierCoverage {
    let state: PendingSet.BarrierState
    /// The synced file or directory; the root if the scope is everything.
    let inode: InodeID
    let scope: ProfileRules.Scope
    let order: ProfileRules.Order
    /// The barrier writes the journal up to and including the effect with this number.
    let journalCut: Int
    /// The numbers of names that return: no sync of their file promises them.
    var returns: Set<Int> = []

    /// Whether the effect's operation had returned before the barrier began.
    func hasCompleted(_ effect: PendingEffect) -> Bool { effect.completedAt < state.beganAt }

    /// Whether the barrier makes the effect durable. `old` is the inode that a name referred to before it.
    func covers(_ pending: PendingEffect, replacing old: InodeID?) -> Bool {
        if case .forceUnitAccess(let write) = state.barrier {
            return pending.operation == write && (pending.isWrite || pending.isGrowth) && hasCompleted(pending)
        }
        switch scope {
        case .everything: return hasCompleted(pending)
        case .journal:
            if order == .total || pending.effect.isMetadata { return pending.number <= journalCut }
            return pending.effect.inode == inode && hasCompleted(pending)
        case .slots(let attributes, let ownNames):
            guard hasCompleted(pending) else { return false }
            switch pending.effect {
            case .name(let entry, let new):
                let isOwn = (new == inode || old == inode) && !returns.contains(pending.number)
                return attributes && entry.directory == inode || ownNames && isOwn
            case .attributes, .extendedAttribute: return attributes && pending.effect.inode == inode
            default: return pending.effect.inode == inode
            }
        }
    }
}
