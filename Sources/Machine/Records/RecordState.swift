import Bytes
import CPlatform
import Glibc
import Platform

/// What the record in a directory, and the lock on it, say about who made it.
package enum RecordState {
    /// There is no record of this user.
    case missing
    /// The run has ended, and said so.
    case finished
    /// Its owner lives, or nobody can tell: the directory is to be left alone, for this reason.
    case inUse(reason: String)
    /// Its owner is dead. Nobody else takes the directory for abandoned while the value lives.
    case abandoned(AbandonedRecord)

    /// How long a process that is ending may keep its lock: the kernel drops it when the last thread is gone.
    private static let patienceMilliseconds = 5000

    /// - Throws: `damagedRecord`.
    package init(of directory: ByteString, owner: UInt32) throws(RunDirectoryError) {
        var waited = 0
        while true {
            switch try Self.look(directory, owner) {
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

    private enum Look {
        case decided(RecordState)
        /// Another record took its place meanwhile.
        case replaced
        /// The lock is about to be dropped.
        case ending(reason: String)
    }

    private static func look(_ directory: ByteString, _ owner: UInt32) throws(RunDirectoryError) -> Look {
        let path = directory.appending(component: RunRecord.fileName)
        // Some filesystems want a file open for writing before they lock it.
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
            // One that was made without a lock is judged without one, too.
            if failure == EWOULDBLOCK || record.isLocked { return afterRefusal(failure, process) }
        }
        guard isStill(file, path) else { return .replaced }
        if record.isLocked, process.isOfThisBoot || faultline_may_be_shared_by_machines(file) == 0 {
            return .decided(.abandoned(AbandonedRecord(record, claim)))
        }
        return .decided(withoutLock(record, process, file, claim))
    }

    /// The lock is somebody's, or cannot be had.
    private static func afterRefusal(_ errno: Int32, _ process: ProcessIdentity) -> Look {
        guard errno == EWOULDBLOCK else {
            let why = Errno(errno).description
            return .decided(
                .inUse(reason: "its record cannot be locked (\(why)): nobody knows whether \(process.inWords) uses it"))
        }
        // A lock of a process that has ended is that of another cleanup, or is about to be dropped.
        return process.state == .dead
            ? .ending(reason: "\(process.inWords) has ended, and another cleanup is at work here")
            : .decided(.inUse(reason: "\(process.inWords) still runs"))
    }

    /// A record of an earlier version, one on a filesystem without locks, or one that another machine may have locked.
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

    /// Whether the open file is what `path` names.
    private static func isStill(_ file: Int32, _ path: ByteString) -> Bool {
        var (here, there) = (stat(), stat())
        return fstat(file, &here) == 0 && path.withCString { lstat($0, &there) } == 0 && here.st_dev == there.st_dev
            && here.st_ino == there.st_ino
    }
}

/// The record of a process that is dead, locked by this one.
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
