import Bytes
import FaultFS
import Glibc
import Platform
import Storage

/// The directory that stands for a served mount while it lives: the record of who serves what, by which `cleanup` takes
/// away what a killed process left, and the log. It is scratch space like any other.
///
/// Thread safe.
package final class ServiceDirectory: Sendable {
    package let path: ByteString
    /// What holds the lock on the record while this process does.
    private let owner: Guarded<Owner>

    private enum Owner {
        case nobodyHere
        case launcher(ScratchDirectory)
        case server(OwnedRecord)
    }

    /// What the process that serves has to say: nobody else hears it in the background.
    package var log: ByteString { path.appending(component: "log") }

    /// Makes one, in this process's name.
    package init() throws(RunDirectoryError) {
        let scratch = try ScratchDirectory()
        path = scratch.path
        owner = Guarded(.launcher(scratch))
    }

    /// One that another process made for this one.
    package init(path: ByteString) {
        self.path = path
        owner = Guarded(.nobodyHere)
    }

    /// Says that this process serves `mountPoint`. To be called before it is mounted.
    package func willServe(_ mountPoint: ByteString, of backing: ByteString) throws(RunDirectoryError) {
        var description = RunRecord(process: try .own(), owner: geteuid())
        description.mounts = [mountPoint]
        description.backings = [backing]
        let record = try OwnedRecord(description, in: path)
        owner.withLock { $0 = .server(record) }
    }

    /// Whether the process that serves lives: it holds the lock on the record, and takes the directory away at its end.
    var isServed: Bool {
        guard case .inUse = try? RecordState(of: path, owner: geteuid()) else { return false }
        return true
    }

    /// The process that serves, as its record says.
    package var server: ProcessIdentity? { (try? RunRecord(in: path, ownedBy: geteuid()))?.process }

    package func remove() throws(ScratchRemovalError) { try ScratchRemoval.remove(path) }
}
