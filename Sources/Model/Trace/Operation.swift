import Bytes

/// The type of an inode. The target of a symbolic link is set at creation and never changes.
public enum NodeKind: Hashable, Sendable {
    case regular
    case directory
    case symbolicLink(target: ByteString)
    case fifo
    case socket
}

/// The attributes that a crash may lose. Timestamps are not modelled: no store's recovery may depend on them.
public struct Attributes: Hashable, Sendable {
    /// Permission bits, 0o7777 at most.
    public var mode: UInt32
    public var owner: UInt32
    public var group: UInt32

    public init(mode: UInt32, owner: UInt32 = 0, group: UInt32 = 0) {
        self.mode = mode
        self.owner = owner
        self.group = group
    }
}

/// A name in a directory: a slot whose versions are the inodes that the name has referred to.
public struct DirectoryEntry: Hashable, Sendable {
    public var directory: InodeID
    public var name: ByteString

    public init(_ directory: InodeID, _ name: ByteString) {
        self.directory = directory
        self.name = name
    }
}

/// The mode of an fallocate(2).
public enum Allocation: UInt8, Hashable, Sendable {
    /// Mode 0: the range is allocated, and the file is extended to cover it.
    case extend = 0
    /// FALLOC_FL_KEEP_SIZE: the range is allocated, the size does not change.
    case keepSize = 1
    /// FALLOC_FL_PUNCH_HOLE: the range reads as zeros, the size does not change.
    case punchHole = 2
    /// FALLOC_FL_ZERO_RANGE: the range reads as zeros, and the file is extended to cover it.
    case zeroRange = 3
    /// FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE.
    case zeroRangeKeepSize = 4

    /// Whether the range reads as zeros afterwards.
    var zeroes: Bool { self == .punchHole || self == .zeroRange || self == .zeroRangeKeepSize }
}

/// The mode of a renameat2(2).
public enum RenameMode: UInt8, Hashable, Sendable {
    case replace = 0
    case noReplace = 1
    case exchange = 2
}

/// The change that an operation made. Only actual changes are recorded: a short write is recorded with the bytes that were
/// written.
public enum Change: Hashable, Sendable {
    case write(InodeID, offsetBytes: UInt64, data: Payload)
    case truncate(InodeID, sizeBytes: UInt64)
    case allocate(InodeID, offsetBytes: UInt64, countBytes: UInt64, Allocation)
    /// A new inode under a new name: create, mkdir, symlink, mknod.
    case create(InodeID, NodeKind, Attributes, at: DirectoryEntry)
    case link(InodeID, at: DirectoryEntry)
    /// unlink or rmdir.
    case unlink(DirectoryEntry)
    case rename(from: DirectoryEntry, to: DirectoryEntry, RenameMode)
    case setAttributes(InodeID, Attributes)
    /// `nil` removes the attribute.
    case setExtendedAttribute(InodeID, name: ByteString, value: ByteString?)
}

/// A storage operation that changed something. Operations are recorded in the order in which they took effect.
public struct Operation: Hashable, Sendable {
    public var id: OperationID
    public var change: Change
    /// The thread that called it, by its id in the recorder's pid namespace. 0 if it has no id there, and for writeback by
    /// the kernel.
    public var process: Int32
    public var origin: Origin
    /// False if the operation was still in flight when it was recorded: a `completed` event follows, unless the crash came
    /// first. A barrier that begins before the operation completes does not cover it.
    public var isComplete: Bool

    public init(
        id: OperationID, _ change: Change, process: Int32 = 0, origin: Origin = .call, isComplete: Bool = true
    ) {
        self.id = id
        self.change = change
        self.process = process
        self.origin = origin
        self.isComplete = isComplete
    }

    /// The origin of an operation. The model treats all origins alike. Stories use it to join the pieces of one call; the
    /// exploration of `kill` uses it to skip crash points that a kill cannot produce.
    public enum Origin: UInt8, CaseIterable, Hashable, Sendable {
        /// A whole system call, or the first piece of a write(2) that the kernel split into several requests.
        case call = 0
        /// A further piece of a write(2); the previous event is the previous piece. Only writes.
        case sameCall = 1
        /// Writeback of pages of a shared mapping by the kernel. Only writes.
        case writeback = 2
    }
}

/// An operation whose return makes earlier operations durable.
public enum Barrier: Hashable, Sendable {
    /// fsync(2) of a file or of a directory.
    case fsync(InodeID)
    case fdatasync(InodeID)
    /// Everything: sync(2), or a flush of a block device.
    case flush
    /// A write with FUA to a block device: makes durable the write with this id and no other
    /// (Documentation/block/writeback_cache_control.rst).
    case forceUnitAccess(OperationID)
}
