import Bytes

/// An operation that is about to happen, as the one who performs it describes it to the rules.
public struct Attempt: Sendable {
    /// What a replay names: an id that each attempt has alone, and has again when the same run is made again.
    public var id: OperationID
    public var kind: OperationKind
    public var process: Int32
    /// Asked for only where `FaultSource.needs` says so.
    public var processName: ByteString?
    /// Of a read or a write.
    public var offsetBytes: UInt64
    /// How many bytes a read or a write asks for.
    public var countBytes: UInt64
    /// The size of the file before the operation; of a read or a write.
    public var fileSizeBytes: UInt64
    /// How many bytes larger (smaller, below 0) the operation makes the files that it touches. Asked for only where
    /// `FaultSource.needs` says so.
    public var growthBytes: Int64
    /// Whether older bytes than the present ones are known for what a read asks for.
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

    /// The end of the bytes that it asks for.
    var endBytes: UInt64 {
        let (end, overflow) = offsetBytes.addingReportingOverflow(countBytes)
        return overflow ? .max : end
    }
}
