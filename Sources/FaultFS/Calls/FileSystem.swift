import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// The operations of the mount, independent of the FUSE protocol. Each returns the reply or throws an errno.
///
/// Locking: a change takes a turn of the `Recorder`; a change of names also takes the table's lock within the turn. A
/// read holds the table's lock only to find a descriptor.
///
/// Caching: the kernel caches attributes, names and pages without limit, since only this mount changes the backing
/// directory. It never delays writes: a write(2) has taken effect when it returns. Only pages of shared mappings arrive
/// later.
final class FileSystem: @unchecked Sendable {
    let table: InodeTable
    let recorder: Recorder
    let control: ControlDirectory
    /// nil when nothing is recorded.
    let undo: UndoStore?
    let faults: FaultInjector
    /// nil when nothing is recorded.
    let tracker: UnsyncedTracker?
    let pageCaches: PageCaches
    let handles = KernelHandles()
    /// Holds bytes that only a page cache has.
    let scratch: ScratchFile
    /// Drops an inode's pages from the kernel's cache; set before the first request.
    var invalidate: @Sendable (InodeID) -> Void = { _ in }
    /// Drops an inode's attributes from the kernel's cache before it returns; set before the first request.
    var invalidateAttributes: @Sendable (InodeID) -> Void = { _ in }
    /// Whether syncs are passed to the backing filesystem.
    let syncsBelow: Bool
    let ownUser = geteuid()
    private let ownGroup = getegid()

    init(
        table: InodeTable, recorder: Recorder, control: ControlDirectory, undo: UndoStore?, faults: FaultInjector,
        tracker: UnsyncedTracker?, pageCaches: PageCaches, scratch: ScratchFile, syncsBelow: Bool
    ) {
        self.faults = faults
        self.tracker = tracker
        self.pageCaches = pageCaches
        self.scratch = scratch
        self.table = table
        self.recorder = recorder
        self.control = control
        self.undo = undo
        self.syncsBelow = syncsBelow
    }

    /// The sender of a request.
    struct Caller {
        /// The thread id; 0 for threads outside the mount's pid namespace and for the kernel itself.
        var process: Int32
        var owner: uid_t
        var group: gid_t
        /// The kernel writes back pages of a shared mapping; no call caused it.
        var isWriteback = false
    }

    @inline(__always)
    func checkPower() throws(Errno) {
        if recorder.isFrozen { throw Errno(EIO) }
    }

    /// The directory whose entry `name` is about to change. EPERM for the control directory and its entries.
    func directory(_ id: UInt, changing name: ByteString) throws(Errno) -> Inode {
        if control.owns(id) { throw Errno(EPERM) }
        let node = try table.node(id)
        if node === table.root && name == ControlDirectory.name { throw Errno(EPERM) }
        return node
    }

    // MARK: Attributes

    func attributes(_ id: UInt, _ caller: Caller) throws(Errno) -> stat {
        if control.owns(id) { return try control.attributes(id) }
        try checkPower()
        var attributes = stat()
        let node = try table.node(id)
        _ = try applyRules(.getattr, .inode(node), caller)
        let descriptor = try table.descriptor(of: node)
        try table.attributes(of: node, through: descriptor.rawValue, &attributes)
        return attributes
    }

    func setAttributes(
        _ id: UInt, _ changes: AttributeChanges, handle: UInt64?, _ caller: Caller
    ) throws(Errno) -> stat {
        if control.owns(id) { return try control.setAttributes(id, changes) }
        let node = try table.node(id)
        let file = try handle.map { handle throws(Errno) in try Handle.of(handle) } as? OpenFile
        let path = try table.descriptor(of: node)
        let kind: OperationKind = changes.sizeBytes == nil ? .setattr : .truncate
        let extent = { () throws(Errno) in
            var extent = CallExtent(fileSizeBytes: try self.size(of: path))
            if let size = changes.sizeBytes { extent.growthBytes = size - Int64(extent.fileSizeBytes) }
            return extent
        }
        if changes.sizeBytes != nil { try releaseHeld(of: node, caller.process) }
        return try change(kind, .inode(node), caller, extent: extent) { turn, _ throws(Errno) in
            var attributes = stat()
            if let size = changes.sizeBytes {
                try truncate(node, path, file?.descriptor, size, turn)
            }
            if let mode = changes.mode { try Errno.check(faultline_chmod_path(path.rawValue, mode & 0o7777)) }
            if changes.owner != nil || changes.group != nil {
                let owner = changes.owner ?? uid_t.max
                try Errno.check(faultline_chown_path(path.rawValue, owner, changes.group ?? gid_t.max))
            }
            if let times = changes.times {
                try withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { buffer throws(Errno) in
                    buffer[0] = times.accessed
                    buffer[1] = times.modified
                    try Errno.check(faultline_utimens_path(path.rawValue, buffer.baseAddress!))
                }
            }
            if changes.sizeBytes != nil, faultline_privileges_killed() != 0 { try killPrivileges(node, path, turn) }
            try table.attributes(of: node, through: path.rawValue, &attributes)
            if changes.mode != nil || changes.owner != nil || changes.group != nil {
                try turn.record(.setAttributes(node.id, Attributes(attributes)))
            }
            return attributes
        }
    }

    private func truncate(
        _ node: Inode, _ path: SharedDescriptor, _ open: SharedDescriptor?, _ sizeBytes: Int64, _ turn: Recorder.Turn
    ) throws(Errno) {
        var before = stat()
        try Errno.check(faultline_fstat(path.rawValue, &before))
        if let undo, sizeBytes < Int64(before.st_size) {
            try undo.saveTail(of: node.id, try table.openFile(node, flags: O_RDONLY), from: UInt64(sizeBytes))
        }
        if let open, faultline_ftruncate(open.rawValue, off_t(sizeBytes)) == 0 {
        } else {
            try Errno.check(faultline_truncate_path(path.rawValue, off_t(sizeBytes)))
        }
        guard before.st_size != off_t(sizeBytes) else { return }
        pageCaches.forget(node.id, UInt64(sizeBytes)..<UInt64.max)
        node.noteReach(UInt64(sizeBytes))
        try turn.record(.truncate(node.id, sizeBytes: UInt64(sizeBytes)))
    }

    /// Clears the set-user-ID and set-group-ID bits, as a write or truncation by a caller without CAP_FSETID must.
    func killPrivileges(_ node: Inode, _ file: SharedDescriptor, _ turn: Recorder.Turn) throws(Errno) {
        var attributes = stat()
        try Errno.check(faultline_fstat(file.rawValue, &attributes))
        let mode = attributes.st_mode
        let lost = mode & S_ISUID | (mode & S_IXGRP != 0 ? mode & S_ISGID : 0)
        guard lost != 0 else { return }
        attributes.st_mode = mode & ~lost
        try Errno.check(faultline_chmod_path(file.rawValue, attributes.st_mode & 0o7777))
        invalidateAttributes(node.id)
        try turn.record(.setAttributes(node.id, Attributes(attributes)))
    }

    func statistics(_ caller: Caller) throws(Errno) -> statvfs {
        try checkPower()
        _ = try applyRules(.statfs, .inode(table.root), caller)
        var statistics = statvfs()
        let root = try table.descriptor(of: table.root)
        try Errno.check(faultline_fstatvfs(root.rawValue, &statistics))
        return statistics
    }

    // MARK: Extended attributes

    func extendedAttribute(
        _ id: UInt, _ name: UnsafePointer<CChar>, _ buffer: UnsafeMutableRawBufferPointer, _ caller: Caller
    ) throws(Errno) -> Int {
        if control.owns(id) { throw Errno(ENODATA) }
        try checkPower()
        let node = try table.node(id)
        _ = try applyRules(.getxattr, .inode(node), caller)
        // The kernel asks for this one before the first write to any file. A new file does not have it.
        if table.keepsAttributes, table.isNew(node), !node.wasGivenAttributes.load(ordering: .acquiring),
            strcmp(name, "security.capability") == 0
        {
            throw Errno(ENODATA)
        }
        let path = try table.descriptor(of: node)
        return try Errno.check(faultline_getxattr_path(path.rawValue, name, buffer.baseAddress, buffer.count))
    }

    func extendedAttributes(
        _ id: UInt, _ buffer: UnsafeMutableRawBufferPointer, _ caller: Caller
    ) throws(Errno) -> Int {
        if control.owns(id) { return 0 }
        try checkPower()
        let node = try table.node(id)
        _ = try applyRules(.listxattr, .inode(node), caller)
        let path = try table.descriptor(of: node)
        return try Errno.check(faultline_listxattr_path(path.rawValue, buffer.baseAddress, buffer.count))
    }

    /// `value` nil removes the attribute.
    func setExtendedAttribute(
        _ id: UInt, _ name: UnsafePointer<CChar>, _ value: UnsafeRawBufferPointer?, flags: Int32, _ caller: Caller
    ) throws(Errno) {
        if control.owns(id) { throw Errno(EPERM) }
        let node = try table.node(id)
        let path = try table.descriptor(of: node)
        try change(value == nil ? .removexattr : .setxattr, .inode(node), caller) { turn, _ throws(Errno) in
            if let value {
                node.wasGivenAttributes.store(true, ordering: .releasing)
                try Errno.check(faultline_setxattr_path(path.rawValue, name, value.baseAddress, value.count, flags))
            } else {
                try Errno.check(faultline_removexattr_path(path.rawValue, name))
            }
            try turn.record(
                .setExtendedAttribute(
                    node.id, name: ByteString(cString: name), value: value.map { ByteString($0) }))
        }
    }

    // MARK: New inodes

    /// Sets owner, group and permission bits of a new inode as its creator expects them, independent of this process's
    /// user and umask. Returns its attributes.
    func adopt(_ name: ByteString, in directory: Int32, mode: mode_t, _ caller: Caller) throws(Errno) -> stat {
        var attributes = stat()
        try Errno.check(name.withCString { faultline_stat_at(directory, $0, &attributes) })
        let isLink = attributes.st_mode & S_IFMT == S_IFLNK
        let wrongOwner = ownUser == 0 && (caller.owner != ownUser || caller.group != ownGroup)
        let wrongMode = !isLink && attributes.st_mode & 0o777 != mode & 0o777
        guard wrongOwner || wrongMode else { return attributes }
        let path = SharedDescriptor(adopting: try Errno.check(name.withCString { faultline_open_path(directory, $0) }))
        let wanted = (mode & 0o7777) | (attributes.st_mode & S_ISGID)
        if wrongOwner {
            var parent = stat()
            try Errno.check(faultline_fstat(directory, &parent))
            let group = parent.st_mode & S_ISGID != 0 ? gid_t.max : caller.group
            try Errno.check(faultline_chown_path(path.rawValue, caller.owner, group))
        }
        if !isLink { try Errno.check(faultline_chmod_path(path.rawValue, wanted)) }
        try Errno.check(faultline_fstat(path.rawValue, &attributes))
        return attributes
    }
}

extension Attributes {
    init(_ attributes: stat) {
        self.init(mode: UInt32(attributes.st_mode & 0o7777), owner: attributes.st_uid, group: attributes.st_gid)
    }
}
