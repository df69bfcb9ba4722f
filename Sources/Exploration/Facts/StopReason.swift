/// Why an exploration stopped before its end.
package enum StopReason: Hashable, Sendable {
    /// The time is used up.
    case budget
    /// So many states were recovered.
    case states(Int)
    /// So many states hang in recovery.
    case hangs(Int)
    /// The cause that was looked for shows.
    case targetCauseFound
    case interrupted
    /// Faultline takes too much memory, in the words of what watches it.
    case memory(String)
}
