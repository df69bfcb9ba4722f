/// When a workload is killed.
enum KillPlan: Hashable, Sendable {
    /// So long after the first acknowledgement of this life.
    case afterSeconds(Double)
    /// As soon as this many operations of this life are acknowledged: the next one is under way then.
    case atAcknowledgement(Int)
}
