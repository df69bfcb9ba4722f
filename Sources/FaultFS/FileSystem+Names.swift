import Bytes
import CPlatform
import Glibc
import Model

/// Names: finding, making, linking, removing and moving them.
extension FileSystem {
    /// nil when there is no such name, which the kernel may remember; an injected ENOENT it must not.
    func lookUp(_ parent: UInt, _ name: ByteString, _ caller: Caller) throws(Errno) -> Found? {
        if let found = try control.lookUp(parent, name) { return found }
        try checkPower()
        let directory = try table.node(parent)
        _ = try ask(.lookup, .entry(directory, name), caller)
        var attributes = stat()
        do throws(Errno) {
            let node = try table.lookUp(name, in: directory, &attributes)
            return Found(id: UInt(node.id.rawValue), attributes: attributes)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    func readLink(_ id: UInt, _ buffer: UnsafeMutableBufferPointer<CChar>, _ caller: Caller) throws(Errno) -> Int {
        try checkPower()
        let node = try table.node(id)
        _ = try ask(.readlink, .inode(node), caller)
        let path = try table.descriptor(of: node)
        return try Errno.check(faultline_readlink_path(path.number, buffer.baseAddress!, buffer.count))
    }

    func makeDirectory(_ parent: UInt, _ name: ByteString, _ mode: mode_t, _ caller: Caller) throws(Errno) -> Found {
        try make(parent, name, .directory, mode, caller) { directory, text in
            faultline_mkdir_at(directory, text, mode & 0o7777)
        }
    }

    func makeLink(
        _ parent: UInt, _ name: ByteString, to target: UnsafePointer<CChar>, _ caller: Caller
    ) throws(Errno) -> Found {
        try make(parent, name, .symbolicLink(target: ByteString(cString: target)), 0o777, caller) { directory, text in
            faultline_symlink_at(target, directory, text)
        }
    }

    /// Regular files, FIFOs and sockets. EPERM for device nodes, which have no place in a store.
    func makeNode(_ parent: UInt, _ name: ByteString, _ mode: mode_t, _ caller: Caller) throws(Errno) -> Found {
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
    ) throws(Errno) -> Found {
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
                try Errno.check(name.withCString { body(above.number, $0) })
                let attributes = try adopt(name, in: above.number, mode: mode, caller)
                let node = table.add(attributes, at: name, in: directory)
                node.lookups += 1
                try turn.record(
                    .create(node.id, kind, Attributes(attributes), at: Entry(directory.id, name)))
                return Found(id: UInt(node.id.rawValue), attributes: attributes)
            }
        }
    }

    func link(_ id: UInt, to parent: UInt, _ name: ByteString, _ caller: Caller) throws(Errno) -> Found {
        if control.owns(id) { throw Errno(EPERM) }
        let node = try table.node(id)
        let directory = try self.directory(parent, changing: name)
        return try change(.link, .entry(directory, name), caller) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                // As Linux has it: a file that lost its last name never gets another.
                guard !node.names.isEmpty else { throw Errno(ENOENT) }
                let above = try table.open(directory)
                let path = try table.open(node)
                try Errno.check(name.withCString { faultline_link_path(path.number, above.number, $0) })
                table.link(node, at: name, in: directory)
                node.lookups += 1
                try turn.record(.link(node.id, at: Entry(directory.id, name)))
                var attributes = stat()
                try Errno.check(faultline_fstat(path.number, &attributes))
                table.adjust(&attributes, for: node)
                return Found(id: UInt(node.id.rawValue), attributes: attributes)
            }
        }
    }

    /// unlink and rmdir. A file that loses its last name may move to the limbo instead, so that a power cut that loses
    /// the unlink can bring it back; nobody can tell the difference.
    func unlink(_ parent: UInt, _ name: ByteString, isDirectory: Bool, _ caller: Caller) throws(Errno) {
        let directory = try self.directory(parent, changing: name)
        let extent = { () throws(Errno) in Extent(growthBytes: -self.table.bytesThatGo(with: name, in: directory)) }
        try change(
            isDirectory ? .rmdir : .unlink, .entry(directory, name), caller, extent: extent
        ) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                guard let node = directory.children[name] else { throw Errno(ENOENT) }
                let above = try table.open(directory)
                if !isDirectory, let limbo = table.limbo(for: node) {
                    try Errno.check(
                        name.withCString { from in
                            Limbo.name(of: node.id).withCString { to in
                                faultline_rename_at(above.number, from, limbo.number, to, 0)
                            }
                        })
                    table.enterLimbo(node)
                } else {
                    try table.pin(node)
                    try Errno.check(
                        name.withCString { faultline_unlink_at(above.number, $0, isDirectory ? 1 : 0) })
                }
                table.unlink(name, in: directory)
                try turn.record(.unlink(Entry(directory.id, name)))
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
            Extent(growthBytes: mode == .replace ? -self.table.bytesThatGo(with: newName, in: to) : 0)
        }
        try change(.rename, .entries(from, name, to, newName), caller, extent: extent) { turn, _ throws(Errno) in
            try table.change { () throws(Errno) in
                guard let node = from.children[name] else { throw Errno(ENOENT) }
                let target = to.children[newName]
                let (above, below) = (try table.open(from), try table.open(to))
                let kept = mode == .replace ? try keep(target, unless: node, at: newName, in: below) : false
                let result = name.withCString { old in
                    newName.withCString { new in
                        faultline_rename_at(above.number, old, below.number, new, flags)
                    }
                }
                if result < 0, kept, let target { table.leaveLimbo(target) }
                try Errno.check(result)
                // Two names of one inode: rename(2) does nothing and succeeds.
                if target === node { return }
                table.rename(name, in: from, to: newName, in: to, exchange: mode == .exchange)
                try turn.record(.rename(from: Entry(from.id, name), to: Entry(to.id, newName), mode))
            }
        }
    }

    /// Before a rename over `target`: gives a file that would lose its last name one in the limbo.
    private func keep(_ target: Inode?, unless same: Inode, at name: ByteString, in directory: Descriptor)
        throws(Errno) -> Bool
    {
        guard let target, target !== same else { return false }
        guard let limbo = table.limbo(for: target) else {
            try table.pin(target)
            return false
        }
        try Errno.check(
            name.withCString { from in
                Limbo.name(of: target.id).withCString { to in
                    faultline_link_at(directory.number, from, limbo.number, to)
                }
            })
        table.enterLimbo(target)
        return true
    }
}
