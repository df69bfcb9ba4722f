/// What a rule demands of a read or a write beyond its path. Empty, it demands nothing.
public struct DataConditions: Hashable, Sendable {
    /// The operation touches one of these bytes of the file.
    public var offsetsBytes: ClosedRange<UInt64>?
    /// The operation asks for so many bytes.
    public var sizesBytes: ClosedRange<UInt64>?
    /// With this one, the operations of the rule have asked for more than so many bytes.
    public var afterBytes: UInt64?

    public init(
        offsetsBytes: ClosedRange<UInt64>? = nil, sizesBytes: ClosedRange<UInt64>? = nil, afterBytes: UInt64? = nil
    ) {
        self.offsetsBytes = offsetsBytes
        self.sizesBytes = sizesBytes
        self.afterBytes = afterBytes
    }
}
