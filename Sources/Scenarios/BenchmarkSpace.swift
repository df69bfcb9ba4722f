import Bytes
import Foundation
import Glibc
import Storage

/// A directory that a benchmark works in, on the filesystem that it measures: gone at the end, after an error and after
/// an interruption. It is scratch space with a record, so that `cleanup` knows it for ours when the process was killed.
package enum BenchmarkSpace {
    /// Calls `body` with an empty directory in `parent`.
    ///
    /// After a signal the process ends when `body`, which looks at `isInterrupted`, has returned and the directory is
    /// gone.
    package static func with<Result>(in parent: ByteString, _ body: (ByteString) throws -> Result) throws -> Result {
        let name = ScratchSpace.prefix(owner: geteuid()).bytes + Array("\(getpid())-bench-\(UUID().uuidString)".utf8)
        let space = parent.appending(component: ByteString(name))
        return try Interruption.shared.awaiting {
            try RunFiles.makeDirectory(space)
            defer { try? TreeRemoval.remove(space) }
            try RunRecord(process: .own(), owner: geteuid()).write(to: space)
            let inside = space.appending(component: "work")
            try RunFiles.makeDirectory(inside)
            return try body(inside)
        }
    }
}
