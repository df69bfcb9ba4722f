/// An inode of the tree under test: an identity that outlives its names. Ids are never reused within one trace.
public struct InodeID: Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The directory at the root of the tree.
    public static let root = InodeID(1)

    public static func < (left: InodeID, right: InodeID) -> Bool { left.rawValue < right.rawValue }

    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
    public func _rawHashValue(seed: Int) -> Int { folded(rawValue, seed) }
}

/// An operation or a barrier of one trace. Ids rise by one in the order of effect, and begin with 1.
public struct OperationID: Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    public static func < (left: OperationID, right: OperationID) -> Bool { left.rawValue < right.rawValue }

    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
    public func _rawHashValue(seed: Int) -> Int { folded(rawValue, seed) }
}

/// The hash of an id in dictionaries. Ids are looked up several times for each event; one multiplication, with its two
/// halves folded, is much cheaper than the standard library's hash. A trace cannot be crafted to collide, because the seed
/// of a dictionary is its own address. (`_rawHashValue` is the requirement of Hashable that dictionaries call; the standard
/// library underscores it.)
@inline(__always)
private func folded(_ value: UInt64, _ seed: Int) -> Int {
    let product = (value ^ UInt64(bitPattern: Int64(seed))).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return Int(truncatingIfNeeded: product.high ^ product.low)
}

extension InodeID: CustomStringConvertible { public var description: String { "inode \(rawValue)" } }
