import Bytes

/// An operation that is about to run, as described to the rules.
public struct Attempt: Sendable {
    /// A unique id. The same run, made again, gives the same ids, so that a replay can name attempts.
    public var id: OperationID
    public var kind: OperationKind
    public var process: Int32
    /// Only if `FaultSource.needs` asks for it.
    public var processName: ByteString?
    /// For a read or a write.
    public var offsetBytes: UInt64
    /// For a read or a write: the number of requested bytes.
    public var countBytes: UInt64
    /// For a read or a write: the size of the file before it.
    public var fileSizeBytes: UInt64
    /// By how many bytes the operation grows its files; negative if they shrink. Only if `FaultSource.needs` asks for it.
    public var growthBytes: Int64
    /// For a read: whether older bytes of the range are known.
    public var hasOlderBytes: Bool

    public init(
        id: OperationID, _ kind: OperationKind, process: Int32 = 0, processName: ByteString? = nil,
        offsetBytes: UInt64 = 0, countBytes: UInt64 = 0, fileSizeBytes: UInt64 = 0, growthBytes: Int64 = 0,
        hasOlderBytes: Bool = false
    ) {
        self.id = id
        self.kind = kind
        self.process = process
        self.processName = processName
        self.offsetBytes = offsetBytes
        self.countBytes = countBytes
        self.fileSizeBytes = fileSizeBytes
        self.growthBytes = growthBytes
        self.hasOlderBytes = hasOlderBytes
    }

    /// The end of the requested bytes.
    var endBytes: UInt64 {
        let (end, overflow) = offsetBytes.addingReportingOverflow(countBytes)
        return overflow ? .max : end
    }
}
