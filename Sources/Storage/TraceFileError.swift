import Bytes
import Glibc
import Model

/// Why a trace file could not be written or read.
public enum TraceFileError: Error, Hashable, Sendable {
    /// A call to the system failed.
    case system(call: String, path: ByteString, errno: Int32)
    /// It is a directory, a FIFO or a device.
    case notAFile(path: ByteString)
    /// The bytes are wrong, or a record cannot be encoded.
    case trace(path: ByteString, TraceError)
    /// The file was cut off within the base tree: nothing can be derived from it.
    case baseMissing(path: ByteString, TraceEnding)
    /// The base records do not describe a tree.
    case base(path: ByteString, BaseTreeError)
    /// The events before it leave no place for this one, whose number is counted from 1.
    case illegal(path: ByteString, event: UInt64, offsetBytes: UInt64, IllegalEvent)
    /// The file ends before the data that an event points to.
    case dataMissing(path: ByteString, Payload)
    /// The trace has its end record: nothing may follow it.
    case closed(path: ByteString)
}

extension TraceFileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let call, let path, let errno): "trace \(path): \(call): \(String(cString: strerror(errno)))"
        case .notAFile(let path): "trace \(path): not a regular file"
        case .trace(let path, let error): "trace \(path): \(error)"
        case .baseMissing(let path, let ending): "trace \(path): the tree before the run is not whole: \(ending)"
        case .base(let path, let error): "trace \(path): \(error)"
        case .illegal(let path, let event, let offset, let reason):
            "trace \(path): event \(event), at byte \(offset), cannot be: \(reason)"
        case .dataMissing(let path, let payload):
            "trace \(path): the data at byte \(payload.offsetBytes), \(payload.countBytes.counted("byte")), is not there"
        case .closed(let path): "trace \(path): it is finished, and nothing can be added any more"
        }
    }
}
