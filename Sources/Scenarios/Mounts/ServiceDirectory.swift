import Bytes
import FaultFS
import Glibc
import Storage

/// The directory that stands for a served mount while it lives: the record of who serves what, by which `cleanup` takes
/// away what a killed process left, and the log. It is scratch space like any other.
package struct ServiceDirectory: Sendable {
    package let path: ByteString

    /// What the process that serves has to say: nobody else hears it in the background.
    package var log: ByteString { path.appending(component: "log") }

    /// Makes one, in this process's name.
    package init() throws(RunDirectoryError) {
        let prefix = ScratchSpace.parent().appending(component: ScratchSpace.prefix(owner: geteuid()))
        path = try Self.makeNumbered(prefix)
        try RunRecord(process: .own(), owner: geteuid()).write(to: path)
    }

    private static func makeNumbered(_ prefix: ByteString) throws(RunDirectoryError) -> ByteString {
        var number = 1
        while true {
            let candidate = ByteString(prefix.bytes + Array("mount-\(getpid())-\(number)".utf8))
            if candidate.withCString({ mkdir($0, 0o700) }) == 0 { return candidate }
            let failure = RunDirectoryError.system("mkdir", candidate)
            guard case .system(_, _, EEXIST) = failure, number < 10_000 else { throw failure }
            number += 1
        }
    }

    /// One that another process made for this one.
    package init(path: ByteString) { self.path = path }

    /// Says that this process serves `mountPoint`. To be called before it is mounted.
    package func willServe(_ mountPoint: ByteString, of backing: ByteString) throws(RunDirectoryError) {
        var record = RunRecord(process: try .own(), owner: geteuid())
        record.mounts = [mountPoint]
        record.backings = [backing]
        try record.write(to: path)
    }

    package func remove() throws(TreeError) { try TreeRemoval.remove(path) }
}
