import Bytes
import Glibc
import Model

/// Why a mount could not be made, or a power cut not be carried out.
package enum MountError: Error, Hashable, Sendable {
    /// A call to the system failed.
    case system(call: String, path: ByteString, errno: Int32)
    case notADirectory(ByteString)
    case mountPointInUse(ByteString)
    case mountPointNotEmpty(ByteString)
    /// One of the two lies within the other.
    case nested(backing: ByteString, mountPoint: ByteString)
    /// The backing directory holds a `.faultline` that no mount of ours left, or whose mount still lives.
    case backingInUse(ByteString, reason: String)
    /// A file of the harness, the oracle or the trace, would be on the storage under test.
    case within(file: ByteString, what: String, directory: ByteString)
    /// Something beneath the backing directory has no place in a store: a device node, another filesystem.
    case unsupported(ByteString, what: String)
    /// /dev/fuse is missing or may not be opened, or nothing here may mount.
    case noPermission(mountPoint: ByteString, errno: Int32, helper: String)
    case notMounted(ByteString)
    /// A rule that a mount cannot follow.
    case rule(Rule, reason: String)
    /// A power cut needs a trace.
    case notRecorded(ByteString)
    /// The trace could not be begun, or not be read.
    case trace(String)
}

extension MountError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let errno): "\(path): \(call): \(Self.text(errno))"
        case .notADirectory(let path): "\(path): not a directory"
        case .mountPointInUse(let path): "\(path): something is mounted there already"
        case .mountPointNotEmpty(let path): "\(path): a mount point must be empty, for a mount hides what it holds"
        case .nested(let backing, let mountPoint):
            "\(mountPoint) and \(backing): neither of mount point and backing directory may lie within the other"
        case .backingInUse(let path, let reason): "\(path): \(reason)"
        case .within(let file, let what, let directory):
            "\(file): \(what) within \(directory) would be on the storage under test"
        case .unsupported(let path, let what): "\(path): \(what)"
        case .noPermission(let mountPoint, let errno, let helper):
            "\(mountPoint): cannot mount: \(Self.text(errno))" + (helper.isEmpty ? "" : " (\(helper))")
        case .notMounted(let path): "\(path): not mounted"
        case .notRecorded(let path): "\(path): a power cut needs a trace, and nothing was recorded"
        case .trace(let reason): reason
        case .rule(let rule, let reason): "rule '\(rule)': \(reason)"
        }
    }

    private static func text(_ errno: Int32) -> String { String(cString: strerror(errno)) }
}
