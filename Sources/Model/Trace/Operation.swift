import Bytes

/// What an inode is. The content of a symbolic link belongs to its birth and never changes.
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

/// A place for a name: a slot whose versions are the inodes that the name has meant.
public struct Entry: Hashable, Sendable {
    public var directory: InodeID
    public var name: ByteString

    public init(_ directory: InodeID, _ name: ByteString) {
        self.directory = directory
        self.name = name
    }
}

/// What fallocate(2) was asked for.
public enum Allocation: UInt8, Hashable, Sendable {
    /// Mode 0: the range is allocated and the file extended over it.
    case extend = 0
    /// FALLOC_FL_KEEP_SIZE: allocated, the size unchanged.
    case keepSize = 1
    /// FALLOC_FL_PUNCH_HOLE: the range reads as zeros, the size unchanged.
    case punchHole = 2
    /// FALLOC_FL_ZERO_RANGE: the range reads as zeros, the file extended over it.
    case zeroRange = 3
    /// FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE.
    case zeroRangeKeepSize = 4

    /// Whether the range reads as zeros afterwards.
    var zeroes: Bool { self == .punchHole || self == .zeroRange || self == .zeroRangeKeepSize }
}

/// What renameat2(2) was asked for.
public enum RenameMode: UInt8, Hashable, Sendable {
    case replace = 0
    case noReplace = 1
    case exchange = 2
}

/// What one operation changed. Only changes that took effect are recorded, with the extent that took effect
/// (a short write is a shorter write).
public enum Change: Hashable, Sendable {
    case write(InodeID, offsetBytes: UInt64, data: Payload)
    case truncate(InodeID, sizeBytes: UInt64)
    case allocate(InodeID, offsetBytes: UInt64, countBytes: UInt64, Allocation)
    /// A new inode under a new name: create, mkdir, symlink, mknod.
    case create(InodeID, NodeKind, Attributes, at: Entry)
    case link(InodeID, at: Entry)
    /// unlink or rmdir.
    case unlink(Entry)
    case rename(from: Entry, to: Entry, RenameMode)
    case setAttributes(InodeID, Attributes)
    /// `nil` removes the attribute.
    case setExtendedAttribute(InodeID, name: ByteString, value: ByteString?)
}

/// A storage operation that changed something, at its place in the order of effect.
public struct Operation: Hashable, Sendable {
    public var id: OperationID
    public var change: Change
    /// The thread that asked for it, by the number that the recorder's pid namespace gives it; 0 where it has none there,
    /// and for what the kernel did by itself.
    public var process: Int32
    public var origin: Origin
    /// False for an operation that was still in flight when it was recorded: a `completed` event follows, or the
    /// crash came first. A barrier that begins before then does not cover it.
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

    /// What an operation is part of. The model takes all of them alike: each is one operation, which a crash may keep or
    /// lose. It matters to those who tell what happened, and to those who ask what a killed process leaves.
    public enum Origin: UInt8, CaseIterable, Hashable, Sendable {
        /// A system call: all of it, or the first piece of a write(2) that the kernel handed over in several requests.
        case call = 0
        /// One more piece of the write(2) whose piece before is the event before. Only writes.
        case sameCall = 1
        /// The kernel wrote pages of a shared mapping back, when it saw fit. Only writes.
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
    /// The write with this id alone, to a block device with FUA: its sectors are durable when it has completed, and it
    /// says nothing of any other write (Documentation/block/writeback_cache_control.rst).
    case forceUnitAccess(OperationID)
}
