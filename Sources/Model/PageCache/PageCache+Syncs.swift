import Bytes

/// Barriers, and what one that fails takes back.
extension PageCache {
    /// What a sync that begins now saves if it succeeds. What is written while it runs is not of it.
    package struct Covered: Sendable {
        fileprivate var saved: SavedContent
    }

    package mutating func beginSync() -> Covered {
        defer { saved = SavedContent() }
        return Covered(saved: saved)
    }

    /// The storage beneath failed: what the sync should have saved is as unsaved as before.
    package mutating func syncFailed(_ covered: Covered) { saved.add(earlier: covered.saved) }

    /// A sync of one descriptor loses what was not synced: takes the file back through `restore`, and marks the pages
    /// clean. Programs see the loss at once where the filesystem reverts at once, else when the pages are evicted.
    ///
    /// `restore` calls `keepSeen` before it changes bytes, unless the loss reverts at once. Held writes were released.
    package mutating func lose<Failure: Error>(
        _ loss: FsyncLoss, _ error: ErrorNumber, rule: ByteString, reporting cursor: inout WritebackErrors.Cursor,
        _ restore: (inout PageCache) throws(Failure) -> Void
    ) throws(Failure) {
        try restore(&self)
        if loss.revertsAtOnce { evict() }
        errors.add(error, rule: rule)
        if !loss.reportsLate { cursor = errors.now }
    }

    /// A `restore` for a file whose changes were all made with `Keeping.saved`. They stay unsynced, and so does what is
    /// restored: another loss restores it again.
    package mutating func restoreSaved<Backing: PageCacheBacking>(
        _ loss: FsyncLoss, _ backing: Backing
    ) throws(Backing.Failure) {
        let present = try backing.sizeBytes()
        let size = loss.revertsAtOnce ? saved.sizeBytes ?? present : present
        if size < present { try backing.resize(to: size) }
        for run in saved.bytes.slice(0..<size) {
            let bytes = try backing.kept(run.data)
            if loss.revertsAtOnce {
                try backing.writeAll(bytes, at: run.offsetBytes)
            } else {
                try keepSeen(run.offsetBytes..<run.endBytes, backing)
                try backing.putBack(bytes, at: run.offsetBytes)
            }
        }
        if try backing.sizeBytes() < size { try backing.resize(to: size) }
    }
}
