import Bytes
import Platform

/// A file of a command that is missing or not executable.
package struct MissingFile: Hashable, Sendable {
    /// `workload` or `recover`.
    package var command: String
    package var name: ByteString
    /// The directory that was searched; nil for PATH.
    package var directory: ByteString?
    package var errno: Int32
}

extension MissingFile: CustomStringConvertible {
    package var description: String {
        let searched =
            directory.map { " (searched in \($0))" }
            ?? (name.bytes.contains(UInt8(ascii: "/")) ? "" : " (searched in PATH)")
        return "\(command): \(name): \(Errno(errno))\(searched)"
    }
}
