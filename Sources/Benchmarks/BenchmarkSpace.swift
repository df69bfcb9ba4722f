import Bytes
import Machine

/// A directory that a benchmark works in, on the filesystem that it measures: gone at the end, after an error and after
/// an interruption. It is scratch space with a record, so that `cleanup` knows it for ours when the process was killed.
package enum BenchmarkSpace {
    /// Calls `body` with an empty directory in `parent`.
    ///
    /// After a signal the process ends when `body`, which looks at `isInterrupted`, has returned and the directory is
    /// gone.
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
