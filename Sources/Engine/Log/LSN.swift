/// The number of a record in its log: the first is 1, each next one is one more, and none is ever used twice.
public struct LSN: Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Before every record: the last LSN of an empty log.
    public static let none = LSN(0)

    public static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }
}

extension LSN: CustomStringConvertible { public var description: String { "LSN \(rawValue)" } }
