import Bytes
import Machine
import Targets

extension ConfiguredTarget {
    /// Makes a directory for a store and runs the target's init command on it. What that writes is durable for the run: it is
    /// there before anything is recorded.
    ///
    /// - Parameter runsInit: false to leave the directory empty.
    package func makeStore(at directory: ByteString, runsInit: Bool = true) throws {
        try RunFiles.makeDirectory(directory)
        try initialise(directory, runsCommand: runsInit)
    }
}
