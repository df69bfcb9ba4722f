import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// Lookup, creation, linking, removal and renaming.
extension FileSystem {
    /// nil when there is no such name: the kernel may cache that. An injected ENOENT is thrown: it must not be cached.
    func lookUp(_ parent: UInt, _ name: ByteString, _ caller: Caller) throws(Errno) -> LookupReply? {
        if let found = try control.lookUp(parent, name) { return found }
        try checkPower()
        let directory = try table.node(parent)
        _ = try applyRules(.lookup, .entry(directory, name), caller)
        var attributes = stat()
        do throws(Errno) {
            let node = try table.lookUp(name, in: directory, &attributes)
            return LookupReply(id: UInt(node.id.rawValue), attributes: attributes)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    func readLink(_ id: UInt, _ buffer: UnsafeMutableBufferPointer<CChar>, _ caller: Caller) throws(Errno) -> Int {
        try checkPower()
        let node = try table.node(id)
        _ = try applyRules(.readlink, .inode(node), caller)
        let path = try table.descriptor(of: node)
        return try Errno.check(faultline_readlink_path(path.rawValue, buffer.baseAddress!, buffer.count))
    }

    func makeDirectory(_ parent: UInt, _ name: ByteString, _ mode: mode_t, _ caller: Caller) throws(Errno)
        -> LookupReply
    {
        try make(parent, name, .directory, mode, caller) { directory, text in
            faultline_mkdir_at(directory, text, mode & 0o7777)
        }
    }

    func makeLink(
        _ parent: UInt, _ name: ByteString, to target: UnsafePointer<CChar>, _ caller: Caller
    ) throws(Errno) -> LookupReply {
        try make(parent, name, .symbolicLink(target: ByteString(cString: target)), 0o777, caller) { directory, text in
            faultline_symlink_at(target, directory, text)
        }
    }

    /// Creates a regular file, FIFO or socket. EPERM for device nodes: no store needs them.
    func makeNode(_ parent: UInt, _ name: ByteString, _ mode: mode_t, _ caller: Caller) throws(Errno) -> LookupReply {
        let kind: NodeKind
        switch mode & S_IFMT {
        case 0, S_IFREG: kind = .regular
        case S_IFIFO: kind = .fifo
        case S_IFSOCK: kind = .socket
        default: throw Errno(EPERM)
        }
        return try make(parent, name, kind, mode, caller) { directory, text in
            faultline_mknod_at(directory, text, mode)
        }
    }

    private func make(
        _ parent: UInt, _ name: ByteString, _ kind: NodeKind, _ mode: mode_t, _ caller: Caller,
        _ body: (Int32, UnsafePointer<CChar>) -> Int32
    ) throws(Errno) -> LookupReply {
        let directory = try self.directory(parent, changing: name)
        let operation: OperationKind
        switch kind {
        case .directory: operation = .mkdir
        case .symbolicLink: operation = .symlink
        default: operation = .create
        }
        return try change(operation, .entry(directory, name), caller) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                let above = try table.open(directory)
                try Errno.check(name.withCString { body(above.rawValue, $0) })
                let attributes = try adopt(name, in: above.rawValue, mode: mode, caller)
                let node = table.add(attributes, at: name, in: directory)
                node.lookups += 1
                try turn.record(
                    .create(node.id, kind, Attributes(attributes), at: DirectoryEntry(directory.id, name)))
                return LookupReply(id: UInt(node.id.rawValue), attributes: attributes)
            }
        }
    }

    func link(_ id: UInt, to parent: UInt, _ name: ByteString, _ caller: Caller) throws(Errno) -> LookupReply {
        if control.owns(id) { throw Errno(EPERM) }
        let node = try table.node(id)
        let directory = try self.directory(parent, changing: name)
        return try change(.link, .entry(directory, name), caller) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                // As on Linux: a file without a name cannot be linked.
                guard !node.names.isEmpty else { throw Errno(ENOENT) }
                let above = try table.open(directory)
                let path = try table.open(node)
                try Errno.check(name.withCString { faultline_link_path(path.rawValue, above.rawValue, $0) })
                table.link(node, at: name, in: directory)
                node.lookups += 1
                try turn.record(.link(node.id, at: DirectoryEntry(directory.id, name)))
                var attributes = stat()
                try Errno.check(faultline_fstat(path.rawValue, &attributes))
                table.adjust(&attributes, for: node)
                return LookupReply(id: UInt(node.id.rawValue), attributes: attributes)
            }
        }
    }

    /// unlink and rmdir. A file that loses its last name may move to the orphan directory instead, so that a power cut
    /// that loses the unlink can restore it. Programs cannot tell the difference.
    func unlink(_ parent: UInt, _ name: ByteString, isDirectory: Bool, _ caller: Caller) throws(Errno) {
        let directory = try self.directory(parent, changing: name)
        let extent = { () throws(Errno) in
            CallExtent(growthBytes: -self.table.bytesFreed(removing: name, in: directory))
        }
        try change(
            isDirectory ? .rmdir : .unlink, .entry(directory, name), caller, extent: extent
        ) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                guard let node = directory.children[name] else { throw Errno(ENOENT) }
                let above = try table.open(directory)
                if !isDirectory, let orphans = table.orphanDirectory(for: node) {
                    try Errno.check(
                        name.withCString { from in
                            OrphanDirectory.name(of: node.id).withCString { to in
                                faultline_rename_at(above.rawValue, from, orphans.rawValue, to, 0)
                            }
                        })
                    table.addOrphan(node)
                } else {
                    try table.pin(node)
                    try Errno.check(
                        name.withCString { faultline_unlink_at(above.rawValue, $0, isDirectory ? 1 : 0) })
                }
                table.unlink(name, in: directory)
                try turn.record(.unlink(DirectoryEntry(directory.id, name)))
            }
        }
    }

    func rename(
        _ parent: UInt, _ name: ByteString, to newParent: UInt, _ newName: ByteString, flags: UInt32, _ caller: Caller
    ) throws(Errno) {
        guard let mode = RenameMode(rawValue: UInt8(truncatingIfNeeded: flags)), flags <= 2 else {
            throw Errno(EINVAL)
        }
        let from = try directory(parent, changing: name)
        let to = try directory(newParent, changing: newName)
        let extent = { () throws(Errno) in
            CallExtent(growthBytes: mode == .replace ? -self.table.bytesFreed(removing: newName, in: to) : 0)
        }
        try change(.rename, .entries(from, name, to, newName), caller, extent: extent) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                guard let node = from.children[name] else { throw Errno(ENOENT) }
                let target = to.children[newName]
                let (above, below) = (try table.open(from), try table.open(to))
                let isOrphaned = mode == .replace ? try orphan(target, unless: node, at: newName, in: below) : false
                let result = name.withCString { old in
                    newName.withCString { new in
                        faultline_rename_at(above.rawValue, old, below.rawValue, new, flags)
                    }
                }
                if result < 0, isOrphaned, let target { table.removeOrphan(target) }
                try Errno.check(result)
                // Two names of one inode: rename(2) does nothing and succeeds.
                if target === node { return }
                table.rename(name, in: from, to: newName, in: to, exchange: mode == .exchange)
                try turn.record(.rename(from: DirectoryEntry(from.id, name), to: DirectoryEntry(to.id, newName), mode))
            }
        }
    }

    /// Called before a rename over `target`: links it into the orphan directory if it would lose its last name.
    private func orphan(_ target: Inode?, unless same: Inode, at name: ByteString, in directory: SharedDescriptor)
        throws(Errno) -> Bool
    {
        guard let target, target !== same else { return false }
        guard let orphans = table.orphanDirectory(for: target) else {
            try table.pin(target)
            return false
        }
        try Errno.check(
            name.withCString { from in
                OrphanDirectory.name(of: target.id).withCString { to in
                    faultline_link_at(directory.rawValue, from, orphans.rawValue, to)
                }
            })
        table.addOrphan(target)
        return true
    }
}
