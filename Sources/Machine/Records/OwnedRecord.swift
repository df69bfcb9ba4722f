import Bytes
import Glibc
import Platform

/// The record of a directory that this process made, and the lock on it (flock(2)) that says that the process lives.
///
/// The kernel drops the lock when the process ends, however it ends, and shows it to every process that can open the
/// file, in whatever namespace or container: nobody has to interpret a process id. There is no moment at which the
/// record of a living process is not locked: a new one is locked before it gets its name, and replaces one that is locked
/// until then. The descriptor is close-on-exec, and spawned processes close it before they execute, so that no child
/// keeps the lock alive.
///
/// Where the filesystem has no locks the record says so, and `ProcessIdentity` decides.
///
/// Thread safe.
package final class OwnedRecord: Sendable {
    private let directory: ByteString
    private let state: Guarded<(record: RunRecord, lock: Int32)>

    /// Writes the record of `directory`, in this process's name.
    ///
    /// - Throws: with ENOENT when a cleanup took the directory away before there was a record: make another.
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

    /// Lets go of the directory: from now on it counts as abandoned, unless its record says that the run has ended.
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
                // A cleanup holds it while it takes away what has no record yet.
                usleep(1000)
                continue
            } else {
                record.isLocked = false
            }
            try file.finish(try record.encoded(for: directory))
            return (record, file.descriptorForKeeps())
        }
    }
}
