import Bytes

/// A path and the rules whose globs match it. It is computed once and cached with the inode, until it is no longer current
/// (`FaultSource.isCurrent`) or the path changes. It is valid only for the source that made it.
public struct PathMatch: Sendable {
    /// Relative to the mount; `.` for its root.
    public let path: ByteString
    /// The indices of the matching rules, rising.
    let ruleIndices: [Int]
    let generation: UInt64
    /// Whether nothing can be injected on the path.
    public let isEmpty: Bool
}
