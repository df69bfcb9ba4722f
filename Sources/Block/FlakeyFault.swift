/// A way in which device-mapper makes a device fail, by dm-flakey or by another target (Documentation/admin-guide/
/// device-mapper). The raw value is the kernel's name for it, and its name on the command line. Not every kernel has all:
/// loading a table tells.
package enum FlakeyFault: String, CaseIterable, Codable, Sendable {
    /// Every write fails.
    case errorWrites = "error_writes"
    /// Every write is answered as done, and dropped.
    case dropWrites = "drop_writes"
    /// One byte of every write is changed, and nobody is told.
    case corruptWrites = "corrupt_bio_byte"
    /// Every read fails.
    case errorReads = "error_reads"
    /// One byte of some reads is changed.
    case randomReadCorruption = "random_read_corrupt"
    /// One byte of some writes is changed.
    case randomWriteCorruption = "random_write_corrupt"

    /// Every read and write fails (dm-error).
    case error
    /// Every read and write is answered late (dm-delay). Nothing is lost.
    case delay
    /// Reads of some blocks fail until they are written (dm-dust).
    case dust

    /// The features of a table of dm-flakey, with their count; nil for another target.
    var features: String? {
        switch self {
        case .error, .delay, .dust: return nil
        case .errorWrites, .dropWrites, .errorReads: return "1 \(rawValue)"
        // The 32nd byte of the first sector becomes 1 in every write, whatever its flags.
        case .corruptWrites: return "5 \(rawValue) 32 w 1 0"
        // In one of ten, by the billion.
        case .randomReadCorruption, .randomWriteCorruption: return "2 \(rawValue) 100000000"
        }
    }

    /// Whether the device holds wrong bytes afterwards, so that the filesystem itself may be broken.
    package var damagesDevice: Bool {
        switch self {
        case .corruptWrites, .randomWriteCorruption: true
        case .errorWrites, .dropWrites, .errorReads, .randomReadCorruption, .error, .delay, .dust: false
        }
    }

    /// Whether the filesystem meets an error as soon as it writes.
    package var failsEveryWrite: Bool { self == .errorWrites || self == .error }
}
