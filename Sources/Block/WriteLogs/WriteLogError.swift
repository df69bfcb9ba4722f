import Bytes
import Platform

/// Why a write log cannot be read, or not be made a trace.
package enum WriteLogError: Error, Hashable, Sendable {
    case system(call: String, path: ByteString, errno: Int32)
    case notALog(ByteString, reason: String)
    /// An entry that neither dm-log-writes nor QEMU writes. `entry` counts from 1.
    case damaged(ByteString, entry: UInt64, offsetBytes: UInt64, reason: String)
    /// The log ends within this entry.
    case truncated(ByteString, entry: UInt64, of: UInt64, offsetBytes: UInt64)
    /// A mark names a line that the oracle does not have, and later marks name lines that it has.
    case lineMissing(ByteString, entry: UInt64, offsetBytes: UInt64, line: Int, lineCount: Int)
    /// No mark has this text.
    case noMark(ByteString, text: String)
}

extension WriteLogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let errno): "\(path): \(call): \(Errno(errno))"
        case .notALog(let path, let reason): "\(path) is no log of dm-log-writes: \(reason)"
        case .damaged(let path, let entry, let offset, let reason):
            "write log \(path) is damaged at byte \(offset), entry \(entry): \(reason)"
        case .truncated(let path, let entry, let count, let offset):
            "write log \(path) ends within entry \(entry) of \(count), which begins at byte \(offset)"
        case .lineMissing(let path, let entry, let offset, let line, let count):
            "write log \(path), entry \(entry) at byte \(offset): the mark names line \(line) of the oracle, which has "
                + "\(count.counted("line"))"
        case .noMark(let path, let text): "write log \(path) has no mark '\(text)'"
        }
    }
}
