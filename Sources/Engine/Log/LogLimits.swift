/// What the format can hold. Writers refuse more before anything is written; readers refuse it before they allocate.
public enum LogLimits {
    public static let keySizeBytes = 64 << 10
    public static let payloadSizeBytes = 64 << 20
    /// All frames of one batch together: they lie side by side in one segment.
    public static let batchSizeBytes = 1 << 30
    public static let batchCount = 1 << 20
    /// Offsets are 32 bits; a batch may begin below the largest segment size and end above it.
    static let segmentSizeBytes = 1 << 30
}
