/// The limits of the format. Writers refuse larger data before they write anything; readers refuse it before they allocate.
public enum LogLimits {
    public static let keySizeBytes = 64 << 10
    public static let payloadSizeBytes = 64 << 20
    /// All frames of one batch together, which are adjacent in one segment.
    public static let batchSizeBytes = 1 << 30
    public static let batchCount = 1 << 20
    /// Offsets have 32 bits. A batch may begin below the largest segment size and end above it.
    static let segmentSizeBytes = 1 << 30
}
