/// Which operations a rule is for, and what it does to them. Each kind of operation has its own faults: an fsync cannot
/// be torn, a read cannot lie.
public enum Injection: Hashable, Sendable {
    case read(OnRead, DataConditions)
    case write(OnWrite, DataConditions)
    case sync(SyncKind, OnSync)
    case directorySync(OnDirectorySync)
    case other(OtherKind, Everywhere)
    case any(Everywhere)

    /// What every operation can suffer.
    public enum Everywhere: Hashable, Sendable {
        /// It does nothing and fails.
        case fail(ErrorNumber)
        case delay(Delay)
        case crash(CrashSide)
    }

    public enum CrashSide: String, Hashable, Sendable {
        /// The power goes instead of the operation.
        case before
        /// The operation takes effect, and the power goes before it returns.
        case after
    }

    public enum OnRead: Hashable, Sendable {
        case everywhere(Everywhere)
        /// At most so many bytes are read.
        case short(countBytes: UInt64)
        /// One bit of what is read is wrong.
        case bitflip(BitflipPlace)
        /// The bytes of another place in the file are read.
        case misdirect
        /// The bytes are read as they were before the last write of them.
        case stale
    }

    public enum BitflipPlace: Hashable, Sendable {
        /// On the way: the next read is right again.
        case inFlight
        /// In the file: every later read sees it.
        case atRest
    }

    public enum OnWrite: Hashable, Sendable {
        case everywhere(Everywhere)
        /// At most so many bytes are written, and the call says so.
        case short(countBytes: UInt64)
        /// A run of whole units is not written, and the call succeeds.
        case tear(TearUnit)
        /// No data is written, and the call succeeds. The size grows as if it had been.
        case drop
        /// The data is held back until the file's next barrier, and written there after or before others of its kind.
        /// Reads see it.
        case reorder
        /// The data is written to another place in the file.
        case misdirect
    }

    public enum TearUnit: UInt64, Hashable, Sendable {
        case sector = 512
        case page = 4096
    }

    public enum SyncKind: String, Hashable, Sendable {
        /// Every barrier: fsync of a file or a directory, and fdatasync.
        case fsync
        /// fdatasync alone.
        case fdatasync
    }

    public enum OnSync: Hashable, Sendable {
        case everywhere(Everywhere)
        /// It fails, and the file's unsynced data is marked clean and lost. Files only.
        case lose(ErrorNumber, FsyncLoss)
        /// It returns 0 and makes nothing durable.
        case lie
    }

    public enum OnDirectorySync: Hashable, Sendable {
        case everywhere(Everywhere)
        case lie
    }

    /// The kinds of operations that have no faults of their own.
    public enum OtherKind: String, Hashable, Sendable, CaseIterable {
        case open, create, mkdir, symlink, link, unlink, rmdir, rename, truncate, allocate
        case setattr, setxattr, removexattr
        case lookup, getattr, getxattr, listxattr, readdir, readlink, statfs, lock
    }
}

extension Injection {
    /// The kinds of operations that the rule is for.
    public var kinds: OperationKinds {
        switch self {
        case .read: OperationKinds([.read])
        case .write: OperationKinds([.write])
        case .sync(.fsync, .lose): OperationKinds([.fsync, .fdatasync])
        case .sync(.fsync, _): OperationKinds([.fsync, .fdatasync, .fsyncdir])
        case .sync(.fdatasync, _): OperationKinds([.fdatasync])
        case .directorySync: OperationKinds([.fsyncdir])
        case .other(let kind, _): OperationKinds([OperationKind(name: kind.rawValue)!])
        case .any: .all
        }
    }

    /// What a rule demands of the bytes of a read or a write.
    public var dataConditions: DataConditions? {
        switch self {
        case .read(_, let conditions), .write(_, let conditions): conditions
        default: nil
        }
    }
}
