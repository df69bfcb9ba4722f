import Bytes

/// The memory limit of a run, and the directory for its spill files.
///
/// Data per crash state or per operation would grow without bound. Each of its holders keeps at most `cacheBytes` in
/// memory and the rest in a spill file.
package struct MemoryBudget: Sendable {
    /// The memory of the whole run, in bytes.
    package var limitBytes: Int
    /// The directory for spill files, on a disk.
    package var spillDirectory: ByteString

    package init(limitBytes: Int, spillDirectory: ByteString) {
        self.limitBytes = limitBytes
        self.spillDirectory = spillDirectory
    }

    /// The memory of one cache, in bytes. There are about eight, which together get half of the limit. More than 32 MiB
    /// does not help, since old entries are rarely used again.
    package var cacheBytes: Int { min(limitBytes / 16, 32 << 20) }

    package func makeSpillFile() throws(SpillError) -> SpillFile { try SpillFile(in: spillDirectory) }
}
