import Bytes
import Glibc
import Model
import Platform

/// A trace file could not be written or read.
public enum TraceFileError: Error, Hashable, Sendable {
    /// A system call failed.
    case system(call: String, path: ByteString, errno: Int32)
    /// The path is not a regular file.
    case notAFile(path: ByteString)
    /// The trace is damaged, or a record cannot be encoded.
    case trace(path: ByteString, TraceError)
    /// The file ends within the base tree, so no crash state can be derived.
    case baseMissing(path: ByteString, TraceEnding)
    /// The base records do not describe a tree.
    case base(path: ByteString, BaseTreeError)
    /// An event is impossible after those before it. `event` counts from 1.
    case illegal(path: ByteString, event: UInt64, offsetBytes: UInt64, IllegalEvent)
    /// The file ends before the data that an event points to.
    case dataMissing(path: ByteString, Payload)
    /// The trace is finished: nothing can be appended.
    case closed(path: ByteString)
}

extension TraceFileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let call, let path, let errno): "trace \(path): \(call): \(Errno(errno))"
        case .notAFile(let path): "trace \(path): not a regular file"
        case .trace(let path, let error): "trace \(path): \(error)"
        case .baseMissing(let path, let ending): "trace \(path): the base tree is incomplete: \(ending)"
        case .base(let path, let error): "trace \(path): \(error)"
        case .illegal(let path, let event, let offset, let reason):
            "trace \(path): event \(event) at byte \(offset) is impossible: \(reason)"
        case .dataMissing(let path, let payload):
            "trace \(path): \(payload.countBytes.counted("byte")) of data at byte \(payload.offsetBytes) are missing"
        case .closed(let path): "trace \(path): it is finished; nothing can be appended"
        }
    }
}
