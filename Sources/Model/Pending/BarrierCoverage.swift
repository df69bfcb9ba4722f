/// What a barrier promises when it succeeds: the one statement of what the scopes of a profile mean. What the promised
/// effects need becomes durable with them (`Requirements`).
struct BarrierCoverage {
    let state: PendingSet.BarrierState
    /// The file or directory that is synced; the root where the scope is everything.
    let inode: InodeID
    let scope: ProfileRules.Scope
    let order: ProfileRules.Order
    /// The journal is written up to the effect with this number.
    let journalCut: Int

    /// Whether the effect's operation had returned before the barrier began.
    func hasCompleted(_ effect: PendingEffect) -> Bool { effect.completedAt < state.beganAt }

    /// Whether the barrier promises the effect. `old` is what a name meant before it.
    func covers(_ part: PendingEffect, replacing old: InodeID?) -> Bool {
        if case .forceUnitAccess(let write) = state.barrier {
            return part.operation == write && (part.isWrite || part.isGrowth) && hasCompleted(part)
        }
        switch scope {
        case .everything: return hasCompleted(part)
        case .journal:
            if order == .total || part.effect.isMetadata { return part.number <= journalCut }
            return part.effect.inode == inode && hasCompleted(part)
        case .slots(let attributes, let ownNames):
            guard hasCompleted(part) else { return false }
            switch part.effect {
            case .name(let entry, let new):
                return attributes && entry.directory == inode || ownNames && (new == inode || old == inode)
            case .attributes, .extendedAttribute: return attributes && part.effect.inode == inode
            default: return part.effect.inode == inode
            }
        }
    }
}
