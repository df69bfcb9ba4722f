import Bytes
import Glibc
import Model
import Platform

/// Why mounting or a power cut failed.
package enum MountError: Error, Hashable, Sendable {
    /// A system call failed.
    case system(call: String, path: ByteString, errno: Int32)
    case notADirectory(ByteString)
    case mountPointInUse(ByteString)
    case mountPointNotEmpty(ByteString)
    /// Backing directory and mount point overlap.
    case nested(backing: ByteString, mountPoint: ByteString)
    /// The backing directory has a `.faultline` that is foreign or belongs to a live mount.
    case backingInUse(ByteString, reason: String)
    /// The oracle or trace file would be on the storage under test.
    case within(file: ByteString, role: String, directory: ByteString)
    /// The backing directory contains a device node or another filesystem, or the oracle is not a regular file.
    case unsupported(ByteString, reason: String)
    /// /dev/fuse is missing or not accessible, or mounting is not permitted.
    case noPermission(mountPoint: ByteString, errno: Int32, helper: String)
    case notMounted(ByteString)
    /// A rule that a mount cannot execute.
    case rule(Rule, reason: String)
    /// A power cut needs a trace.
    case notRecorded(ByteString)
    /// The trace could not be started or read.
    case trace(String)
}

extension MountError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let errno): "\(path): \(call): \(Self.text(errno))"
        case .notADirectory(let path): "\(path): not a directory"
        case .mountPointInUse(let path): "\(path): already a mount point"
        case .mountPointNotEmpty(let path):
            "\(path): a mount point must be empty, because a mount would hide its contents"
        case .nested(let backing, let mountPoint):
            "\(mountPoint) and \(backing): mount point and backing directory must not contain each other"
        case .backingInUse(let path, let reason): "\(path): \(reason)"
        case .within(let file, let role, let directory):
            "\(file): \(role) within \(directory) would be on the storage under test"
        case .unsupported(let path, let reason): "\(path): \(reason)"
        case .noPermission(let mountPoint, let errno, let helper):
            "\(mountPoint): cannot mount: \(Self.text(errno))" + (helper.isEmpty ? "" : " (\(helper))")
        case .notMounted(let path): "\(path): not mounted"
        case .notRecorded(let path): "\(path): a power cut needs a trace, but nothing was recorded"
        case .trace(let reason): reason
        case .rule(let rule, let reason): "rule '\(rule)': \(reason)"
        }
    }

    private static func text(_ errno: Int32) -> String { Errno(errno).description }
}
