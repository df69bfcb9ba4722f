import Bytes
import FaultFS
import Glibc
import Platform
import Storage

/// The scratch directory of a served mount: its log, and a record of its process and mount, for `cleanup` after a kill.
///
/// Thread safe.
package final class ServiceDirectory: Sendable {
    package let path: ByteString
    /// Holds the lock on the record, if this process has it.
    private let owner: Guarded<Owner>

    private enum Owner {
        case nobodyHere
        case launcher(ScratchDirectory)
        case server(OwnedRecord)
    }

    /// The output of the serving process, which runs in the background.
    package var log: ByteString { path.appending(component: "log") }

    /// Creates a directory owned by this process.
    package init() throws(RunDirectoryError) {
        let scratch = try ScratchDirectory()
        path = scratch.path
        owner = Guarded(.launcher(scratch))
    }

    /// Opens a directory that another process created for this one.
    package init(path: ByteString) {
        self.path = path
        owner = Guarded(.nobodyHere)
    }

    /// Records that this process serves `mountPoint`. Call before mounting.
    package func willServe(_ mountPoint: ByteString, of backing: ByteString) throws(RunDirectoryError) {
        var description = RunRecord(process: try .own(), owner: geteuid())
        description.mounts = [mountPoint]
        description.backings = [backing]
        let record = try OwnedRecord(description, in: path)
        owner.withLock { $0 = .server(record) }
    }

    /// Whether the serving process is alive: it holds the lock on the record and removes the directory at its end.
    var isServed: Bool {
        guard case .inUse = try? RecordState(of: path, owner: geteuid()) else { return false }
        return true
    }

    /// The serving process, from the record.
    package var server: ProcessIdentity? { (try? RunRecord(in: path, ownedBy: geteuid()))?.process }

    package func remove() throws(ScratchRemovalError) { try ScratchRemoval.remove(path) }
}
