/// The constants of the trace format. docs/trace-format.md specifies it, with an example byte for byte.
///
/// A trace is a header, the base records, a mark that ends the base, the events, and an end record. Each record is a frame of
/// 16 bytes and a body; all integers are little-endian. The frame has a checksum of its own, which also covers the record's
/// offset in the file. So the length is verified before it is used, a cut-off record differs from a damaged one, and a
/// record at a wrong offset is damaged.
public enum TraceFormat {
    /// A byte that is not text, the name, and a line end that a copy in text mode would change.
    public static let magic: [UInt8] = [0x93] + Array("FLTRC".utf8) + [0x0D, 0x0A]
    /// The version of written traces.
    public static let version: UInt32 = 2
    /// The oldest version that can be read. In version 1 operations have no origin.
    public static let oldestVersion: UInt32 = 1
    /// Magic, version, CRC32C of both.
    public static let headerBytes = 16
    /// Kind (1 byte) and length of the body (7 bytes); CRC32C of the record's offset in the file (8 bytes) and of these
    /// 8 bytes; CRC32C of the frame's first 12 bytes and the body.
    public static let frameBytes = 16
    /// The longest body: that of the longest write(2) that Linux allows, with room for its fields.
    public static let maximumBodyBytes = 0x8000_0000

    /// The kind of a record. Numbers are never reused.
    enum Kind: UInt8 {
        case baseNode = 1
        case baseExtendedAttribute = 2
        case baseEntry = 3
        case baseContent = 4
        /// The end of the base; body: the number of base records.
        case baseEnd = 5

        case write = 16
        case truncate = 17
        case allocate = 18
        case create = 19
        case link = 20
        case unlink = 21
        case rename = 22
        case setAttributes = 23
        case setExtendedAttribute = 24

        case completed = 32
        case barrierBegan = 33
        case barrierEnded = 34
        case oracle = 35
        case fault = 36

        /// The end of the trace; body: the number of events.
        case end = 64
    }

    enum NodeTag: UInt8 {
        case regular = 0
        case directory = 1
        case symbolicLink = 2
        case fifo = 3
        case socket = 4
    }

    enum BarrierTag: UInt8 {
        case fsync = 0
        case fdatasync = 1
        case flush = 2
        case forceUnitAccess = 3
    }
}
