import Bytes
import FaultFS
import Glibc
import Storage

/// Removes scratch directories: detaches mounts and clears immutable flags that a target made there, as far as
/// permitted.
enum ScratchRemoval {
    /// Removes the directory. A missing one is not an error. The record goes last, so that a cleanup finds the rest if
    /// this process is killed.
    package static func remove(_ scratch: ByteString) throws(ScratchRemovalError) {
        do throws(MountError) { try MountTable.detachAll(beneath: scratch) } catch {
            throw ScratchRemovalError(scratch: scratch, reason: "\(error)", command: unmounting(error, scratch))
        }
        let record = RunRecord.fileName
        do throws(TreeError) {
            try TreeRemoval.remove(scratch, last: [record, SmallFile.Replacement.temporary(of: record)])
        } catch {
            throw ScratchRemovalError(scratch: scratch, reason: "\(error)", command: command(error, scratch))
        }
    }

    /// Whether the directory is empty or holds only an unfinished record that no process is writing. Its maker was
    /// killed, or creates another directory if this one disappears.
    static func isUnfinished(_ scratch: ByteString) -> Bool {
        let record = SmallFile.Replacement.temporary(of: RunRecord.fileName)
        guard let names = TreeListing.names(in: scratch), names.allSatisfy({ $0 == record }) else { return false }
        return names.isEmpty || lockUnfinishedRecord(of: scratch) { _ in true }
    }

    /// Removes an unfinished directory.
    static func removeUnfinished(_ scratch: ByteString) throws(RunDirectoryError) {
        _ = lockUnfinishedRecord(of: scratch) { path in path.withCString { unlink($0) } == 0 }
        // Fails if the directory is no longer empty.
        if scratch.withCString({ rmdir($0) }) != 0, errno != ENOENT { throw .system("rmdir", scratch) }
    }

    private static func lockUnfinishedRecord(of scratch: ByteString, _ body: (ByteString) -> Bool) -> Bool {
        let path = SmallFile.Replacement.temporary(of: scratch.appending(component: RunRecord.fileName))
        let file = path.withCString { open($0, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard file >= 0 else { return false }
        defer { close(file) }
        var attributes = stat()
        guard fstat(file, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG, attributes.st_uid == geteuid(),
            flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
        else { return false }
        return body(path)
    }

    private static func unmounting(_ error: MountError, _ scratch: ByteString) -> String {
        guard case .system(_, let path, _) = error else { return "rm -r " + quoted(scratch) }
        return "umount -l " + quoted(path)
    }

    private static func command(_ error: TreeError, _ scratch: ByteString) -> String {
        switch error {
        case .mountPoint(let path): "umount -l " + quoted(path)
        case .protected: "chattr -R -ia " + quoted(scratch)
        default: "rm -r " + quoted(scratch)
        }
    }

    private static func quoted(_ path: ByteString) -> String {
        ReproduceScript.quoted(path.shown)
    }
}

/// Why a scratch directory could not be removed, and the command that helps.
package struct ScratchRemovalError: Error, Hashable, Sendable, CustomStringConvertible {
    package var scratch: ByteString
    package var reason: String
    /// A command to run first, with sufficient rights; a cleanup then does the rest.
    package var command: String

    package var description: String {
        "\(scratch) is not removed: \(reason); `sudo \(command)` and `faultline cleanup` remove it"
    }
}
