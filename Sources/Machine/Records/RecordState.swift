import Bytes
import CPlatform
import Glibc
import Platform

/// The state of a directory's owner, from its record and the lock on it.
package enum RecordState {
    /// There is no record of this user.
    case missing
    /// The run has finished.
    case finished
    /// Its owner is alive, or that is unknown: leave the directory alone, for this reason.
    case inUse(reason: String)
    /// Its owner is dead. While this value lives, no other process sees the directory as abandoned.
    case abandoned(AbandonedRecord)

    /// The time limit for an ending process to release its lock: the kernel drops it with the last thread.
    private static let patienceMilliseconds = 5000

    /// - Throws: `damagedRecord`.
    package init(of directory: ByteString, owner: UInt32) throws(RunDirectoryError) {
        var waited = 0
        while true {
            switch try Self.inspect(directory, owner) {
            case .decided(let state):
                self = state
                return
            case .replaced: continue
            case .ending(let reason):
                guard waited < Self.patienceMilliseconds else {
                    self = .inUse(reason: reason)
                    return
                }
                usleep(10_000)
                waited += 10
            }
        }
    }

    private enum Inspection {
        case decided(RecordState)
        /// Another record has replaced it.
        case replaced
        /// The lock is about to be dropped.
        case ending(reason: String)
    }

    private static func inspect(_ directory: ByteString, _ owner: UInt32) throws(RunDirectoryError) -> Inspection {
        let path = directory.appending(component: RunRecord.fileName)
        // Some filesystems lock only files open for writing.
        let flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        var file = path.withCString { open($0, O_RDWR | flags) }
        if file < 0 { file = path.withCString { open($0, O_RDONLY | flags) } }
        guard file >= 0 else { return .decided(.missing) }
        let claim = AbandonedRecord.Claim(descriptor: file)
        guard let bytes = SmallFile.contents(ofOpen: file, ownedBy: owner) else { return .decided(.missing) }
        let record = try RunRecord(bytes, path: path, owner: owner)
        guard record.phase == .running else { return .decided(.finished) }
        guard let process = record.process else {
            return .decided(.inUse(reason: "its record does not say which process made it"))
        }
        if flock(file, LOCK_EX | LOCK_NB) != 0 {
            let failure = errno
            // A record made without a lock is also judged without one.
            if failure == EWOULDBLOCK || record.isLocked { return afterRefusal(failure, process) }
        }
        guard isStill(file, path) else { return .replaced }
        if record.isLocked, process.isOfThisBoot || faultline_may_be_shared_by_machines(file) == 0 {
            return .decided(.abandoned(AbandonedRecord(record, claim)))
        }
        return .decided(withoutLock(record, process, file, claim))
    }

    /// Decides after a failed lock attempt.
    private static func afterRefusal(_ errno: Int32, _ process: ProcessIdentity) -> Inspection {
        guard errno == EWOULDBLOCK else {
            let why = Errno(errno).description
            return .decided(
                .inUse(reason: "its record cannot be locked (\(why)): nobody knows whether \(process.inWords) uses it"))
        }
        // If the process has ended, another cleanup holds the lock, or it is about to be dropped.
        return process.state == .dead
            ? .ending(reason: "\(process.inWords) has ended, and another cleanup is at work here")
            : .decided(.inUse(reason: "\(process.inWords) still runs"))
    }

    /// Decides by the process: for a record of an earlier version, on a filesystem without locks, or possibly locked by
    /// another machine.
    private static func withoutLock(
        _ record: RunRecord, _ process: ProcessIdentity, _ file: Int32, _ claim: consuming AbandonedRecord.Claim
    ) -> RecordState {
        guard process.isOfThisBoot || faultline_may_be_shared_by_machines(file) == 0 else {
            return .inUse(
                reason: "another machine made it, or this one before it was restarted: "
                    + "if nothing uses it any more, remove it by hand")
        }
        return switch process.state {
        case .running: .inUse(reason: "\(process.inWords) still runs")
        case .unknown: .inUse(reason: "process \(process.pid) belongs to another container")
        case .dead: .abandoned(AbandonedRecord(record, claim))
        }
    }

    /// Whether `path` still names the open file.
    private static func isStill(_ file: Int32, _ path: ByteString) -> Bool {
        var (here, there) = (stat(), stat())
        return fstat(file, &here) == 0 && path.withCString { lstat($0, &there) } == 0 && here.st_dev == there.st_dev
            && here.st_ino == there.st_ino
    }
}

/// The record of a dead process, locked by this process.
package final class AbandonedRecord: Sendable {
    /// An open record, closed once.
    struct Claim: ~Copyable, Sendable {
        package let descriptor: Int32
        deinit { close(descriptor) }
    }

    package let record: RunRecord
    private let claim: Claim

    init(_ record: RunRecord, _ claim: consuming Claim) {
        self.record = record
        self.claim = claim
    }
}
