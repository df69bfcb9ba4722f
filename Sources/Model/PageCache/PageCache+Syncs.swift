import Bytes

/// Barriers, and the loss of unsynced data when one fails.
extension PageCache {
    /// The content that a sync makes durable if it succeeds. Writes after the sync began are not covered.
    package struct Covered: Sendable {
        fileprivate var synced: SyncedContent
    }

    package mutating func beginSync() -> Covered {
        defer { synced = SyncedContent() }
        return Covered(synced: synced)
    }

    /// The backing storage failed: the covered content stays unsynced.
    package mutating func syncFailed(_ covered: Covered) { synced.add(earlier: covered.synced) }

    /// A sync of one descriptor fails and loses the unsynced data: `restore` reverts the file, and the pages are marked
    /// clean. Programs see the loss immediately if `loss.revertsAtOnce`, otherwise after the pages are evicted.
    ///
    /// Unless the loss reverts at once, `restore` must call `keepVisible` before it changes bytes. The caller must have
    /// released held writes.
    package mutating func lose<Failure: Error>(
        _ loss: FsyncLoss, _ error: ErrorNumber, rule: ByteString, reporting cursor: inout WritebackErrors.Cursor,
        _ restore: (inout PageCache) throws(Failure) -> Void
    ) throws(Failure) {
        try restore(&self)
        if loss.revertsAtOnce { evict() }
        errors.add(error, rule: rule)
        if !loss.reportsLate { cursor = errors.now }
    }

    /// A `restore` for a file whose changes were all made with `Retention.synced`. The changes and the restored bytes stay
    /// unsynced: another loss restores them again.
    package mutating func restoreSynced<Backing: PageCacheBacking>(
        _ loss: FsyncLoss, _ backing: Backing
    ) throws(Backing.Failure) {
        let present = try backing.sizeBytes()
        let size = loss.revertsAtOnce ? synced.sizeBytes ?? present : present
        if size < present { try backing.resize(to: size) }
        for run in synced.bytes.slice(0..<size) {
            let bytes = try backing.kept(run.data)
            if loss.revertsAtOnce {
                try backing.writeAll(bytes, at: run.offsetBytes)
            } else {
                try keepVisible(run.offsetBytes..<run.endBytes, backing)
                try backing.revert(bytes, at: run.offsetBytes)
            }
        }
        if try backing.sizeBytes() < size { try backing.resize(to: size) }
    }
}
