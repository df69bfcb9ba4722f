import Bytes
import Glibc

/// A directory of this process that lives no longer than what it is for: closed to others, and with a record, so that
/// `cleanup` takes it away when the process was killed.
///
/// Thread safe.
package final class ScratchDirectory: Sendable {
    package let path: ByteString
    private let record: OwnedRecord

    private static let number = Counter()

    /// Makes one in `parent`, in memory where possible unless that is given.
    ///
    /// - Parameter announce: hears the path before the directory is made, or another when that one was taken.
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
                // A process of another namespace has our id.
                continue
            } catch .system(let call, _, ENOENT) where call != "mkdir" {
                // A cleanup took it for one that nobody makes any more.
                continue
            }
        }
    }

    /// Removes it with everything in it, whatever that has become. Nobody may work in it any more.
    package func remove() throws(ScratchRemovalError) {
        try ScratchRemoval.remove(path)
        record.release()
    }
}
