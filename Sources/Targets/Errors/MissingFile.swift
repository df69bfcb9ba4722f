import Bytes
import Platform

/// A file that a command needs and that is not there, or cannot be run.
package struct MissingFile: Hashable, Sendable {
    /// `workload` or `recover`.
    package var command: String
    package var name: ByteString
    /// Where it was looked for; nil for the folders of PATH.
    package var directory: ByteString?
    package var errno: Int32
}

extension MissingFile: CustomStringConvertible {
    package var description: String {
        let place =
            directory.map { " (looked for in \($0))" }
            ?? (name.bytes.contains(UInt8(ascii: "/")) ? "" : " (looked for in PATH)")
        return "\(command): \(name): \(Errno(errno))\(place)"
    }
}
