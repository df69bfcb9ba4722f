import Bytes
import Glibc

/// A temporary directory of this process: accessible only to its owner, with a record so that `cleanup` removes it if
/// the process is killed.
///
/// Thread safe.
package final class ScratchDirectory: Sendable {
    package let path: ByteString
    private let record: OwnedRecord

    private static let number = Counter()

    /// Creates a directory in `parent`; if that is nil, in memory if possible.
    ///
    /// - Parameter announce: receives each candidate path before the directory is made.
    package init(
        in parent: ByteString? = nil, announce: (ByteString) throws(RunDirectoryError) -> Void = { _ in }
    ) throws(RunDirectoryError) {
        let parent = parent ?? ScratchSpace.parent()
        let owner = geteuid()
        let description = RunRecord(process: try .own(), owner: owner)
        while true {
            let name = ScratchSpace.prefix(owner: owner).bytes + Array("\(getpid())-\(Self.number.next())".utf8)
            let candidate = parent.appending(component: ByteString(name))
            try announce(candidate)
            do throws(RunDirectoryError) {
                guard candidate.withCString({ mkdir($0, 0o700) }) == 0 else { throw .system("mkdir", candidate) }
                record = try OwnedRecord(description, in: candidate)
                path = candidate
                return
            } catch .system(let call, _, EEXIST) where call == "mkdir" {
                // A process with the same id in another namespace made it.
                continue
            } catch .system(let call, _, ENOENT) where call != "mkdir" {
                // A cleanup removed the directory before it had a record.
                continue
            }
        }
    }

    /// Removes the directory with its content, including mounts and immutable files. No process may still use it.
    package func remove() throws(ScratchRemovalError) {
        try ScratchRemoval.remove(path)
        record.release()
    }
}
