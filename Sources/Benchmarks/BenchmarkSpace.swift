import Bytes
import Machine

/// The working directory of a benchmark, on the filesystem that it measures. It is removed at the end, even after an
/// error or an interruption. It has a record, so that `cleanup` can remove it if the process was killed.
package enum BenchmarkSpace {
    /// Calls `body` with an empty directory in `parent`.
    ///
    /// After a signal the process ends once `body` has returned and the directory is removed. `body` should therefore
    /// check `isInterrupted`.
    package static func with<Result>(in parent: ByteString, _ body: (ByteString) throws -> Result) throws -> Result {
        try Interruption.shared.awaiting {
            let space = try ScratchDirectory(in: parent)
            defer { try? space.remove() }
            let inside = space.path.appending(component: "work")
            try RunFiles.makeDirectory(inside)
            return try body(inside)
        }
    }
}
