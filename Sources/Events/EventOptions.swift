import Engine

/// The options of an event store: its log, batches and duplicate detection.
public struct EventOptions: Hashable, Sendable {
    public var log: LogOptions
    /// A batch is written when it holds this many events.
    public var batchCount: Int
    /// A batch is written when its records reach this many bytes.
    public var batchSizeBytes: Int
    /// A batch is written when its first event has waited this long, by the monotonic clock. 0: immediately, with the events
    /// that arrived while the previous batch was written.
    public var batchDelayMilliseconds: Int
    /// An event is a duplicate if an equal one arrived within this time, by the store's clock. 0: no detection. Each event in
    /// the window takes about 150 bytes of memory.
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
