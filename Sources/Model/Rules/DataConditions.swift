/// The conditions of a rule on the bytes of a read or a write. All nil: no condition.
public struct DataConditions: Hashable, Sendable {
    /// The operation touches at least one byte of this range of the file.
    public var offsetsBytes: ClosedRange<UInt64>?
    /// The operation requests a number of bytes in this range.
    public var sizesBytes: ClosedRange<UInt64>?
    /// The matching operations, including this one, have requested more than this many bytes in total.
    public var afterBytes: UInt64?

    public init(
        offsetsBytes: ClosedRange<UInt64>? = nil, sizesBytes: ClosedRange<UInt64>? = nil, afterBytes: UInt64? = nil
    ) {
        self.offsetsBytes = offsetsBytes
        self.sizesBytes = sizesBytes
        self.afterBytes = afterBytes
    }
}
