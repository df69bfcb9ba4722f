/// The operations of a rule and the fault that it injects. Each kind of operation has its own faults: an fsync cannot be
/// torn, a read cannot lie.
public enum Injection: Hashable, Sendable {
    case read(ReadFault, DataConditions)
    case write(WriteFault, DataConditions)
    case sync(SyncKind, SyncFault)
    case directorySync(DirectorySyncFault)
    case other(OtherKind, GenericFault)
    case any(GenericFault)

    /// The faults that apply to every operation.
    public enum GenericFault: Hashable, Sendable {
        /// The operation does nothing and fails.
        case fail(ErrorNumber)
        case delay(Delay)
        case crash(CrashSide)
    }

    public enum CrashSide: String, Hashable, Sendable {
        /// The power fails instead of the operation.
        case before
        /// The operation takes effect, and the power fails before it returns.
        case after
    }

    public enum ReadFault: Hashable, Sendable {
        case generic(GenericFault)
        /// At most this many bytes are read.
        case short(countBytes: UInt64)
        /// One bit is flipped.
        case bitflip(BitflipLocation)
        /// Bytes at another offset of the file are read.
        case misdirect
        /// The bytes before the last write are read.
        case stale
    }

    public enum BitflipLocation: Hashable, Sendable {
        /// In the returned buffer: the next read is correct again.
        case inFlight
        /// In the file: every later read sees it.
        case atRest
    }

    public enum WriteFault: Hashable, Sendable {
        case generic(GenericFault)
        /// At most this many bytes are written, and the call returns their number.
        case short(countBytes: UInt64)
        /// A run of whole units is not written, and the call succeeds.
        case tear(TearUnit)
        /// No data is written, and the call succeeds. The file grows as if the data had been written.
        case drop
        /// The data is held back until the file's next barrier, and then written in a random order with other held writes.
        /// Reads see it.
        case reorder
        /// The data is written at another offset of the file.
        case misdirect
    }

    public enum TearUnit: UInt64, Hashable, Sendable {
        case sector = 512
        case page = 4096
    }

    public enum SyncKind: String, Hashable, Sendable {
        /// Every barrier: fsync of a file or a directory, and fdatasync.
        case fsync
        /// Only fdatasync.
        case fdatasync
    }

    public enum SyncFault: Hashable, Sendable {
        case generic(GenericFault)
        /// The sync fails, and the file's unsynced data is marked clean and lost. Only for files.
        case lose(ErrorNumber, FsyncLoss)
        /// The sync returns 0 and makes nothing durable.
        case lie
    }

    public enum DirectorySyncFault: Hashable, Sendable {
        case generic(GenericFault)
        case lie
    }

    /// The kinds of operations without faults of their own.
    public enum OtherKind: String, Hashable, Sendable, CaseIterable {
        case open, create, mkdir, symlink, link, unlink, rmdir, rename, truncate, allocate
        case setattr, setxattr, removexattr
        case lookup, getattr, getxattr, listxattr, readdir, readlink, statfs, lock
    }
}

extension Injection {
    /// The kinds of operations that the rule matches.
    public var kinds: OperationKinds {
        switch self {
        case .read: OperationKinds([.read])
        case .write: OperationKinds([.write])
        case .sync(.fsync, .lose): OperationKinds([.fsync, .fdatasync])
        case .sync(.fsync, .generic), .sync(.fsync, .lie): OperationKinds([.fsync, .fdatasync, .fsyncdir])
        case .sync(.fdatasync, _): OperationKinds([.fdatasync])
        case .directorySync: OperationKinds([.fsyncdir])
        case .other(let kind, _): OperationKinds([OperationKind(name: kind.rawValue)!])
        case .any: .all
        }
    }

    /// The fault, if it is one that applies to every operation; nil for the others.
    public var genericFault: GenericFault? {
        switch self {
        case .read(.generic(let fault), _), .write(.generic(let fault), _), .sync(_, .generic(let fault)),
            .directorySync(.generic(let fault)), .other(_, let fault), .any(let fault):
            fault
        case .read(.short, _), .read(.bitflip, _), .read(.misdirect, _), .read(.stale, _), .write(.short, _),
            .write(.tear, _),
            .write(.drop, _), .write(.reorder, _), .write(.misdirect, _), .sync(_, .lose), .sync(_, .lie),
            .directorySync(.lie):
            nil
        }
    }

    /// The conditions on the bytes of a read or a write.
    public var dataConditions: DataConditions? {
        switch self {
        case .read(_, let conditions), .write(_, let conditions): conditions
        default: nil
        }
    }
}
