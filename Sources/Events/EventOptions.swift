import Engine

/// How an event store lies on storage, batches, and looks for duplicates.
public struct EventOptions: Hashable, Sendable {
    public var log: LogOptions
    /// A batch is written when it holds so many events.
    public var batchCount: Int
    /// A batch is written when its records reach so many bytes.
    public var batchSizeBytes: Int
    /// A batch is written when its first event has waited so long, by the monotonic clock. 0 writes at once whatever has
    /// gathered while the batch before was written.
    public var batchDelayMilliseconds: Int
    /// An event is a duplicate if the same one arrived within so long, by the store's clock. 0 turns the search off. Each
    /// event within the window costs about 150 bytes of memory.
    public var duplicateWindowSeconds: Int

    public init(
        log: LogOptions = LogOptions(), batchCount: Int = 256, batchSizeBytes: Int = 256 << 10,
        batchDelayMilliseconds: Int = 2, duplicateWindowSeconds: Int = 300
    ) {
        self.log = log
        self.batchCount = batchCount
        self.batchSizeBytes = batchSizeBytes
        self.batchDelayMilliseconds = batchDelayMilliseconds
        self.duplicateWindowSeconds = duplicateWindowSeconds
    }

    func validated() throws(EngineError) -> EventOptions {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(EngineError) {
            guard range.contains(value) else {
                throw .invalidOptions("\(name) is \(value), not within \(range.lowerBound) and \(range.upperBound)")
            }
        }
        try check("batchCount", batchCount, 1...LogLimits.batchCount)
        try check("batchSizeBytes", batchSizeBytes, 1...LogLimits.batchSizeBytes)
        try check("batchDelayMilliseconds", batchDelayMilliseconds, 0...3_600_000)
        try check("duplicateWindowSeconds", duplicateWindowSeconds, 0...1_000_000_000)
        var options = self
        options.log = try log.validated()
        return options
    }
}
