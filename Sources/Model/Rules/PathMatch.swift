import Bytes

/// A path and the rules whose globs match it: worked out once, kept beside the inode, and asked for again when it is not
/// current any more (`FaultSource.isCurrent`) or when the path changed. It belongs to the source that made it.
public struct PathMatch: Sendable {
    /// Relative to the mount; `.` for its own directory.
    public let path: ByteString
    /// Places among the rules, rising.
    let places: [Int]
    let generation: UInt64
    /// Whether nothing can be injected on the path.
    public let isEmpty: Bool
}
