import Bytes

/// How much memory a run may take, and where it puts what does not fit.
///
/// What a run keeps of each crash state or each operation would grow without bound. Whoever keeps such things holds at
/// most `cacheBytes` of them and puts the rest into a spill file.
package struct MemoryBudget: Sendable {
    /// The whole of the run's memory, in bytes.
    package var limitBytes: Int
    /// Where spill files are made: a directory on a disk.
    package var spillDirectory: ByteString

    package init(limitBytes: Int, spillDirectory: ByteString) {
        self.limitBytes = limitBytes
        self.spillDirectory = spillDirectory
    }

    /// What one of the places where things are kept may hold, in bytes: there are about eight of them, and their sum is
    /// half of the limit. More than this is of no use: what was looked at long ago is hardly ever looked at again.
    package var cacheBytes: Int { min(limitBytes / 16, 32 << 20) }

    package func makeSpillFile() throws(SpillError) -> SpillFile { try SpillFile(in: spillDirectory) }
}
