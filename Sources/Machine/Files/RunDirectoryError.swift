import Bytes
import Glibc
import Platform
import Storage

/// Why the directory or the record of a run could not be made, read or removed.
package enum RunDirectoryError: Error, Hashable, Sendable {
    case system(call: String, path: ByteString, errno: Int32)
    case output(OutputError)
    /// The record is not what Faultline writes.
    case damagedRecord(path: ByteString, reason: String)
    /// The path contains a NUL.
    case unusablePath(ByteString)
}

extension RunDirectoryError {
    /// The failure of `call` with the calling thread's errno, read before anything can change it.
    package static func system(_ call: String, _ path: ByteString) -> RunDirectoryError {
        .system(call: call, path: path, errno: errno)
    }
}

extension RunDirectoryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let errno): "\(path): \(call): \(Errno(errno))"
        case .output(let error): error.description
        case .damagedRecord(let path, let reason): "\(path): not the record of a run: \(reason)"
        case .unusablePath(let path): "\(path): no path that can be used here"
        }
    }
}
