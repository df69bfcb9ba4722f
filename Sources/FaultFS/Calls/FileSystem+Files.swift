import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// Opening, reading, writing and allocating files; opening directories.
extension FileSystem {
    func open(_ id: UInt, flags: Int32, _ caller: Caller) throws(Errno) -> Handle {
        if control.owns(id) { return try control.open(id, flags: flags) }
        try checkPower()
        let node = try table.node(id)
        _ = try applyRules(.open, .inode(node), caller)
        let isDirect = faults.isActive && faults.affectsReads(of: table.path(of: node))
        let file = OpenFile(node, try openBelow(node, flags), isDirect: isDirect, flags: flags)
        pageCaches.opened(file)
        return file
    }

    /// Opens the backing file. A recorded mount also needs to read, to save bytes before they are overwritten; a file
    /// that may not be read is opened as requested.
    private func openBelow(_ node: Inode, _ flags: Int32) throws(Errno) -> SharedDescriptor {
        if recorder.isRecording && flags & O_ACCMODE == O_WRONLY {
            let readable = (flags & ~O_ACCMODE) | O_RDWR
            do throws(Errno) { return try table.openFile(node, flags: readable) } catch {
                if error.code != EACCES { throw error }
            }
        }
        return try table.openFile(node, flags: flags)
    }

    func create(
        _ parent: UInt, _ name: ByteString, _ mode: mode_t, flags: Int32, _ caller: Caller
    ) throws(Errno) -> (LookupReply, Handle) {
        let directory = try self.directory(parent, changing: name)
        let isDirect =
            faults.isActive && faults.affectsReads(of: table.path(of: DirectoryEntry(directory.id, name)) ?? name)
        let access = recorder.isRecording && flags & O_ACCMODE == O_WRONLY ? O_RDWR : flags & O_ACCMODE
        return try change(.create, .entry(directory, name), caller) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                let above = try table.open(directory)
                let descriptor = SharedDescriptor(
                    adopting:
                        try Errno.check(
                            name.withCString { faultline_create(above.rawValue, $0, access, mode & 0o7777) }))
                let attributes = try adopt(name, in: above.rawValue, mode: mode, caller)
                let node = table.add(attributes, at: name, in: directory)
                node.lookups += 1
                table.adopt(descriptor, of: node)
                try turn.record(
                    .create(node.id, .regular, Attributes(attributes), at: DirectoryEntry(directory.id, name)))
                return (
                    LookupReply(id: UInt(node.id.rawValue), attributes: attributes),
                    OpenFile(node, descriptor, isDirect: isDirect, flags: flags)
                )
            }
        }
    }

    func read(
        _ handle: UInt64, _ buffer: UnsafeMutableRawBufferPointer, offset: Int64, _ caller: Caller
    ) throws(Errno) -> Int {
        let handle = try Handle.of(handle)
        if let handle = handle as? ControlHandle { return try handle.read(buffer, offset: offset) }
        guard let file = handle as? OpenFile else { throw Errno(EBADF) }
        try checkPower()
        return try read(file, buffer, at: UInt64(offset), caller)
    }

    func write(
        _ handle: UInt64, _ data: UnsafeRawBufferPointer, offset: Int64, _ caller: Caller
    ) throws(Errno) -> Int {
        let handle = try Handle.of(handle)
        if let handle = handle as? ControlHandle { return try handle.write(data) }
        guard let file = handle as? OpenFile else { throw Errno(EBADF) }
        let offset = UInt64(offset)
        let extent = { () throws(Errno) in
            let size = try self.size(of: file.descriptor)
            let end = offset + UInt64(data.count)
            return CallExtent(
                offsetBytes: offset, countBytes: UInt64(data.count), fileSizeBytes: size,
                growthBytes: end > size ? Int64(end - size) : 0)
        }
        let written = try change(.write, .inode(file.node), caller, extent: extent) { turn, fault throws(Errno) in
            try self.write(file, data, at: offset, fault, turn)
        }
        // For direct I/O the kernel sends no sync for O_SYNC and O_DSYNC.
        if file.ownSync != 0 { try sync(file, isData: file.ownSync != O_SYNC, caller) }
        return written
    }

    func allocate(
        _ handle: UInt64, mode: Int32, offset: Int64, length: Int64, _ caller: Caller
    ) throws(Errno) {
        let file = try OpenFile.behind(handle)
        let allocation = try Allocation(fallocateMode: mode)
        let extent = { () throws(Errno) in
            let size = try self.size(of: file.descriptor)
            let grows = allocation == .extend || allocation == .zeroRange
            return CallExtent(fileSizeBytes: size, growthBytes: grows ? max(0, offset + length - Int64(size)) : 0)
        }
        let clears = allocation != .extend && allocation != .keepSize
        if clears { try releaseHeld(of: file.node, caller.process) }
        try change(.allocate, .inode(file.node), caller, extent: extent) { turn, _ throws(Errno) in
            if clears {
                try undo?.saveRange(of: file.node.id, file.descriptor, UInt64(offset), UInt64(length))
            }
            try Errno.check(faultline_allocate(file.descriptor.rawValue, mode, off_t(offset), off_t(length)))
            if clears { pageCaches.forget(file.node.id, UInt64(offset)..<UInt64(offset) + UInt64(length)) }
            file.node.noteReach(UInt64(offset) + UInt64(length))
            try turn.record(
                .allocate(
                    file.node.id, offsetBytes: UInt64(offset), countBytes: UInt64(length), allocation))
        }
    }

    /// SEEK_DATA and SEEK_HOLE; the kernel does the others itself.
    func seek(_ handle: UInt64, offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        let file = try OpenFile.behind(handle)
        try checkPower()
        guard pageCaches.isEmpty || offset < 0 else {
            let backing = BackingFile(fileSystem: self, node: file.node, descriptor: file.descriptor, turn: nil)
            return try pageCaches.withCache(file.node.id) { cache throws(Errno) in
                Int64(try cache.seek(backing, from: UInt64(offset), findsHole: whence == 4))
            }
        }
        return Int64(try Errno.check(faultline_lseek(file.descriptor.rawValue, off_t(offset), whence)))
    }

    // MARK: Directories

    func openDirectory(_ id: UInt, _ caller: Caller) throws(Errno) -> Handle {
        if control.owns(id) { return Handle() }
        try checkPower()
        let node = try table.node(id)
        guard node.isDirectory else { throw Errno(ENOTDIR) }
        _ = try applyRules(.open, .inode(node), caller)
        let directory = OpenDirectory(node)
        // The listing comes from the inode table; the backing filesystem decides whether the caller may see it.
        if ownUser != 0 { _ = try directory.descriptor(table) }
        return directory
    }

    /// access(2) and chdir(2), by the backing filesystem's permissions. The kernel asks only without
    /// default_permissions.
    func checkAccess(_ id: UInt, _ mask: Int32) throws(Errno) {
        if control.owns(id) { return }
        // The control directory stays reachable when the power is off.
        if id != 1 { try checkPower() }
        let path = try table.descriptor(of: try table.node(id))
        try Errno.check(faultline_access_path(path.rawValue, mask))
    }
}

extension Allocation {
    /// EOPNOTSUPP for a mode of fallocate(2) that is not recorded.
    init(fallocateMode mode: Int32) throws(Errno) {
        switch mode {
        case 0: self = .extend
        case 0x01: self = .keepSize
        case 0x02 | 0x01: self = .punchHole
        case 0x10: self = .zeroRange
        case 0x10 | 0x01: self = .zeroRangeKeepSize
        default: throw Errno(EOPNOTSUPP)
        }
    }
}
