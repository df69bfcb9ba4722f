/// An inode of the tree under test: an identity that outlives its names. Ids are never reused within one trace.
public struct InodeID: Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The directory at the root of the tree.
    public static let root = InodeID(1)

    public static func < (left: InodeID, right: InodeID) -> Bool { left.rawValue < right.rawValue }
}

/// An operation or a barrier of one trace. Ids rise by one in the order of effect, and begin with 1.
public struct OperationID: Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    public static func < (left: OperationID, right: OperationID) -> Bool { left.rawValue < right.rawValue }
}

extension InodeID: CustomStringConvertible { public var description: String { "inode \(rawValue)" } }
extension OperationID: CustomStringConvertible { public var description: String { "op \(rawValue)" } }
