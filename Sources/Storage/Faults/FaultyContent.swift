import Bytes
import Model

/// The bytes that a file had, and those that it does not have yet: what stale reads, held writes and failed syncs need.
///
/// The file beneath holds what programs read, but for the writes that are held back. Every call is made with the lock of
/// the file held.
struct FaultyContent {
    /// Writes that reached nothing yet.
    private var held: [(rank: UInt64, offsetBytes: UInt64, bytes: [UInt8])] = []
    /// What programs read of them: the bytes over which nothing was written since.
    private var shown = ByteRuns()
    /// Before the last write of each byte.
    private var older = ByteRuns()
    /// At the last good sync, where it was written since.
    private var synced = ByteRuns()
    private var syncedSizeBytes: UInt64?
    /// What storage holds of pages that are cached otherwise and marked clean.
    private var lost = ByteRuns()

    /// Losses so far, and the last one. Every open file reports one that it has not seen.
    private(set) var lossCount = 0
    private(set) var lastLoss: (error: ErrorNumber, rule: ByteString)?

    private static let pageBytes: UInt64 = 4096

    func hasOlderBytes(_ range: Range<UInt64>) -> Bool { older.overlaps(range) }

    // MARK: - Reading and writing

    func read(
        _ file: any StorageFile, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        let count = try file.read(into: buffer, at: offset)
        let whole = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        shown.overlay(whole, at: offset)
        return count
    }

    func overlayOlderBytes(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) {
        older.overlay(buffer, at: offset)
    }

    mutating func write(
        _ file: any StorageFile, _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ needs: FaultNeeds
    ) throws(StorageError) {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        // What no file can hold is for the file to refuse.
        if !overflow, !bytes.isEmpty { try remember(file, offset..<end, needs) }
        try file.write(bytes, at: offset)
        if !overflow { shown.remove(offset..<end) }
    }

    /// Keeps a write for the next barrier. The size does not wait.
    mutating func hold(
        _ file: any StorageFile, rank: UInt64, _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ needs: FaultNeeds
    ) throws(StorageError) {
        try extend(file, toCover: offset, UInt64(bytes.count), needs)
        held.append((rank, offset, Array(bytes)))
        shown.replace(offset, Array(bytes))
    }

    /// Makes the file as long as a write that did not reach it would have.
    mutating func extend(
        _ file: any StorageFile, toCover offset: UInt64, _ count: UInt64, _ needs: FaultNeeds
    ) throws(StorageError) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard try file.length() < end || overflow else { return }
        try rememberSize(file, needs)
        try file.truncate(to: overflow ? .max : end)
    }

    mutating func truncate(
        _ file: any StorageFile, to size: UInt64, _ needs: FaultNeeds
    ) throws(StorageError) {
        try release(file, needs)
        try rememberSize(file, needs)
        try file.truncate(to: size)
        for runs in [\FaultyContent.older, \.synced, \.lost] { self[keyPath: runs].remove(size..<UInt64.max) }
        if let synced = syncedSizeBytes { syncedSizeBytes = min(synced, size) }
    }

    mutating func preallocate(
        _ file: any StorageFile, at offset: UInt64, _ count: UInt64, _ needs: FaultNeeds
    ) throws(StorageError) {
        try rememberSize(file, needs)
        try file.preallocate(at: offset, countBytes: count)
    }

    /// Writes what was held back, in the order of the ranks.
    mutating func release(_ file: any StorageFile, _ needs: FaultNeeds) throws(StorageError) {
        guard !held.isEmpty else { return }
        let writes = held.sorted { $0.rank < $1.rank }
        held = []
        shown.removeAll()
        for write in writes {
            var failure: StorageError?
            write.bytes.withUnsafeBytes { bytes in
                do throws(StorageError) {
                    try self.write(file, bytes, at: write.offsetBytes, needs)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    private mutating func rememberSize(_ file: any StorageFile, _ needs: FaultNeeds) throws(StorageError) {
        if needs.syncedBytes, syncedSizeBytes == nil { syncedSizeBytes = try file.length() }
    }

    /// Keeps what the file holds in `range` before it is written.
    private mutating func remember(
        _ file: any StorageFile, _ range: Range<UInt64>, _ needs: FaultNeeds
    ) throws(StorageError) {
        guard needs.syncedBytes || needs.olderBytes || !lost.isEmpty else { return }
        try rememberSize(file, needs)
        let before = try file.read(countBytes: range.count, at: range.lowerBound)
        if needs.olderBytes {
            older.remove(range)
            older.replace(range.lowerBound, before)
        }
        // Writing into a page makes all of it dirty: what was lost of it is saved by the next good sync.
        let last = (range.upperBound - 1) / Self.pageBytes
        let pages = range.lowerBound / Self.pageBytes * Self.pageBytes..<(last + 1) * Self.pageBytes
        for run in lost.slice(pages) { synced.insertMissing(run.offsetBytes, run.bytes) }
        lost.remove(pages)
        if needs.syncedBytes {
            let zeros = [UInt8](repeating: 0, count: range.count - before.count)
            synced.insertMissing(range.lowerBound, before + zeros)
        }
    }

    // MARK: - Barriers

    /// What a sync that begins now would save.
    struct Covered {
        fileprivate var runs: ByteRuns
        fileprivate var sizeBytes: UInt64?
    }

    /// Takes what a sync saves if it succeeds. What is written while it runs is not of it.
    mutating func beginSync() -> Covered {
        let covered = Covered(runs: synced, sizeBytes: syncedSizeBytes)
        synced.removeAll()
        syncedSizeBytes = nil
        return covered
    }

    /// The storage beneath failed: what the sync should have saved is as unsaved as before.
    mutating func syncFailed(_ covered: Covered) {
        for run in covered.runs.runs { synced.replace(run.offsetBytes, run.bytes) }
        syncedSizeBytes = covered.sizeBytes ?? syncedSizeBytes
    }

    /// A sync that failed and lost what was not synced.
    mutating func lose(
        _ file: any StorageFile, _ loss: FsyncLoss, _ error: ErrorNumber, rule: ByteString, _ needs: FaultNeeds
    ) throws(StorageError) {
        try release(file, needs)
        if loss.revertsAtOnce {
            let present = try file.length()
            let size = syncedSizeBytes ?? present
            for run in synced.slice(0..<size) { try file.write(run.bytes, at: run.offsetBytes) }
            if present > size { try file.truncate(to: size) }
        } else {
            for run in synced.runs { lost.insertMissing(run.offsetBytes, run.bytes) }
        }
        synced.removeAll()
        syncedSizeBytes = nil
        lossCount += 1
        lastLoss = (error, rule)
    }

    /// Forgets the cached bytes of clean pages: what was lost is seen to be lost.
    mutating func dropCleanPages(_ file: any StorageFile) throws(StorageError) {
        let size = try file.length()
        for run in lost.slice(0..<size) { try file.write(run.bytes, at: run.offsetBytes) }
        lost.removeAll()
    }
}
