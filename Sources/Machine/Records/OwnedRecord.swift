import Bytes
import Glibc
import Platform

/// The record of a directory that this process made, with a lock (flock(2)) that shows that the process is alive.
///
/// The kernel drops the lock however the process ends. Every process that can open the file sees the lock, in any
/// namespace or container, so no process id has to be interpreted. The record of a live process is always locked: a new
/// record is locked before it is renamed into place, and the old one until then. The descriptor is close-on-exec, and
/// spawned processes close it before exec, so no child keeps the lock.
///
/// If the filesystem has no locks, the record says so, and `ProcessIdentity` decides.
///
/// Thread safe.
package final class OwnedRecord: Sendable {
    private let directory: ByteString
    private let state: Guarded<(record: RunRecord, lock: Int32)>

    /// Writes and locks the record of `directory` for this process.
    ///
    /// - Throws: with ENOENT if a cleanup removed the directory before it had a record. Create another one then.
    package init(_ record: RunRecord, in directory: ByteString) throws(RunDirectoryError) {
        self.directory = directory
        state = Guarded(try Self.write(record, to: directory))
    }

    deinit { state.withLock { if $0.lock >= 0 { close($0.lock) } } }

    package var record: RunRecord { state.withLock { $0.record } }

    package func change(_ body: (inout RunRecord) -> Void) throws(RunDirectoryError) {
        try state.withLock { state throws(RunDirectoryError) in
            var record = state.record
            body(&record)
            let written = try Self.write(record, to: directory)
            if state.lock >= 0 { close(state.lock) }
            state = written
        }
    }

    /// Releases the lock. The directory then counts as abandoned, unless its record says that the run has finished.
    package func release() {
        state.withLock { state in
            if state.lock >= 0 { close(state.lock) }
            state.lock = -1
        }
    }

    private static func write(
        _ record: RunRecord, to directory: ByteString
    ) throws(RunDirectoryError) -> (record: RunRecord, lock: Int32) {
        var record = record
        while true {
            let file = try SmallFile.Replacement(of: directory.appending(component: RunRecord.fileName))
            if flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 {
                record.isLocked = true
            } else if errno == EWOULDBLOCK {
                // A cleanup holds the lock while it removes a directory without a record.
                usleep(1000)
                continue
            } else {
                record.isLocked = false
            }
            try file.finish(try record.encoded(for: directory))
            return (record, file.releaseDescriptor())
        }
    }
}
