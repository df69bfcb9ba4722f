import Bytes
import CPlatform
import Glibc
import Model

/// Turns the backing directory from what the running system saw into a crash state, in place.
///
/// First every name that is not in the crash state, or means something else there, moves its inode to the limbo, where
/// the inodes that were unlinked wait already. Then the crash state is walked from its root and what is missing is
/// linked from wherever it is; only directories that were removed have to be made anew. Last, data, sizes and
/// attributes are set where they differ. What is left in the limbo is gone with it.
///
/// Every file is reached by one name relative to the descriptor of its directory, and no link is followed.
///
/// Threading: used once, by one thread, while nothing else touches the directory.
struct TreePatch {
    let from: Tree
    let to: Tree
    let backing: ByteString
    let limbo: Descriptor
    let payloads: any PayloadStore

    /// Where an inode can be found.
    private struct Place {
        var directory: Descriptor
        var name: ByteString
    }

    /// What is known while the patch is applied.
    private struct Progress {
        /// The directories that the crash state has.
        var wantedDirectories: Set<InodeID> = []
        var places: [InodeID: Place] = [:]
        /// Directories that have found their place.
        var placed: Set<InodeID> = [.root]
        var dressed: Set<InodeID> = []
        /// What got permissions to be worked on, which have to be taken back.
        var unlocked: Set<InodeID> = []
    }

    func apply() throws(MountError) {
        var progress = Progress()
        for name in to.reachable() where to.nodes[name.inode]?.kind == .directory {
            progress.wantedDirectories.insert(name.inode)
        }
        let root = try Self.openDirectory(nil, backing, at: backing)
        try detach(.root, root, backing, &progress)
        try attach(.root, root, backing, isFresh: false, &progress)
        try dress(.root, root, backing)
    }

    // MARK: Taking away

    /// Moves to the limbo what the crash state does not have under the same name.
    private func detach(_ inode: InodeID, _ directory: Descriptor, _ path: ByteString, _ progress: inout Progress)
        throws(MountError)
    {
        let isKept = progress.wantedDirectories.contains(inode)
        for (name, child) in (from.nodes[inode]?.entries ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let node = from.nodes[child] else { continue }
            let path = path.appending(name)
            if node.kind == .directory {
                try unlock(child, node, name, in: directory, path, &progress)
                try detach(child, Self.openDirectory(directory, name, at: path), path, &progress)
            }
            if isKept, to.nodes[inode]?.entries[name] == child {
                progress.places[child] = Place(directory: directory, name: name)
            } else {
                let result = name.withCString { from in
                    Limbo.name(of: child).withCString { to in
                        faultline_rename_at(directory.number, from, limbo.number, to, 0)
                    }
                }
                try Self.check("rename", path, result)
                // rename(2) leaves both names when they already mean one inode.
                if node.kind != .directory {
                    let again = name.withCString { faultline_unlink_at(directory.number, $0, 0) }
                    if again != -ENOENT { try Self.check("unlink", path, again) }
                }
            }
        }
    }

    // MARK: Putting in place

    private func attach(
        _ inode: InodeID, _ directory: Descriptor, _ path: ByteString, isFresh: Bool, _ progress: inout Progress
    ) throws(MountError) {
        let before = isFresh ? [:] : from.nodes[inode]?.entries ?? [:]
        for (name, child) in (to.nodes[inode]?.entries ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let node = to.nodes[child] else { continue }
            let path = path.appending(name)
            let isThere = before[name] == child
            if node.kind == .directory {
                let isNew = isThere ? false : try place(directory: child, at: name, in: directory, path, &progress)
                progress.placed.insert(child)
                let inner = try Self.openDirectory(directory, name, at: path)
                try attach(child, inner, path, isFresh: isNew, &progress)
                try dress(
                    child, inner, path, isFresh: isNew, isUnlocked: progress.unlocked.contains(child))
            } else {
                let isNew = isThere ? false : try place(node, child, at: name, in: directory, path, progress)
                if progress.dressed.insert(child).inserted {
                    progress.places[child] = Place(directory: directory, name: name)
                    try finish(node, child, at: name, in: directory, path, isNew: isNew, &progress)
                }
            }
        }
    }

    /// Brings a directory from the limbo, or makes it. True when it is new, and empty.
    private func place(
        directory inode: InodeID, at name: ByteString, in directory: Descriptor, _ path: ByteString,
        _ progress: inout Progress
    ) throws(MountError) -> Bool {
        if !progress.placed.contains(inode) {
            let result = Limbo.name(of: inode).withCString { from in
                name.withCString { to in faultline_rename_at(limbo.number, from, directory.number, to, 0) }
            }
            if result != -ENOENT {
                try Self.check("rename", path, result)
                return false
            }
        }
        try Self.check("mkdir", path, name.withCString { faultline_mkdir_at(directory.number, $0, 0o700) })
        return true
    }

    /// Links a file from where it is, or makes it. True when it is new.
    private func place(
        _ node: Model.Node, _ inode: InodeID, at name: ByteString, in directory: Descriptor, _ path: ByteString,
        _ progress: Progress
    ) throws(MountError) -> Bool {
        let home = progress.places[inode] ?? Place(directory: limbo, name: Limbo.name(of: inode))
        let linked = home.name.withCString { from in
            name.withCString { to in faultline_link_at(home.directory.number, from, directory.number, to) }
        }
        if linked != -ENOENT {
            try Self.check("link", path, linked)
            return false
        }
        let made = name.withCString { text in
            switch node.kind {
            case .symbolicLink(let target): target.withCString { faultline_symlink_at($0, directory.number, text) }
            case .fifo: faultline_mknod_at(directory.number, text, S_IFIFO | 0o600)
            case .socket: faultline_mknod_at(directory.number, text, S_IFSOCK | 0o600)
            case .regular, .directory: faultline_mknod_at(directory.number, text, S_IFREG | 0o600)
            }
        }
        try Self.check("create", path, made)
        return true
    }

    // MARK: Contents and attributes

    private func finish(
        _ node: Model.Node, _ inode: InodeID, at name: ByteString, in directory: Descriptor, _ path: ByteString,
        isNew: Bool, _ progress: inout Progress
    ) throws(MountError) {
        let before = isNew ? nil : from.nodes[inode]
        if node.kind == .regular, before?.sizeBytes != node.sizeBytes || before?.content != node.content {
            try unlock(inode, before ?? node, name, in: directory, path, &progress)
            let handle = try Self.openPath(directory, name, path)
            let file = Descriptor(try Self.check("open", path, faultline_reopen(handle.number, O_RDWR)))
            try ContentPatch(file: file.number, path: path, payloads: payloads).apply(from: before, to: node)
        }
        let isUnlocked = progress.unlocked.contains(inode)
        guard
            isUnlocked || before?.attributes != node.attributes
                || before?.extendedAttributes != node.extendedAttributes
        else { return }
        if case .symbolicLink = node.kind { return }
        try dress(inode, Self.openPath(directory, name, path), path, isFresh: isNew, isUnlocked: isUnlocked)
    }

    /// Gives its owner every right to an inode, where an ordinary user could not change it otherwise. (A directory that is
    /// moved must be writable itself.)
    private func unlock(
        _ inode: InodeID, _ node: Model.Node, _ name: ByteString, in directory: Descriptor, _ path: ByteString,
        _ progress: inout Progress
    ) throws(MountError) {
        guard geteuid() != 0, node.attributes.mode & 0o700 != 0o700 else { return }
        let handle = try Self.openPath(directory, name, path)
        let mode = mode_t(node.attributes.mode) | 0o700
        try Self.check("chmod", path, faultline_chmod_path(handle.number, mode))
        progress.unlocked.insert(inode)
    }

    /// Sets the owner, the mode and the extended attributes that the crash state has. `handle` may be O_PATH.
    private func dress(
        _ inode: InodeID, _ handle: Descriptor, _ path: ByteString, isFresh: Bool = false, isUnlocked: Bool = false
    )
        throws(MountError)
    {
        guard let node = to.nodes[inode] else { return }
        let before = isFresh ? nil : from.nodes[inode]
        for name in (before?.extendedAttributes ?? [:]).keys where node.extendedAttributes[name] == nil {
            try Self.check("removexattr", path, name.withCString { faultline_removexattr_path(handle.number, $0) })
        }
        for (name, value) in node.extendedAttributes where before?.extendedAttributes[name] != value {
            let result = name.withCString { name in
                value.bytes.withUnsafeBytes {
                    faultline_setxattr_path(handle.number, name, $0.baseAddress, $0.count, 0)
                }
            }
            try Self.check("setxattr", path, result)
        }
        guard isUnlocked || before?.attributes != node.attributes else { return }
        if geteuid() == 0 {
            let (owner, group) = (node.attributes.owner, node.attributes.group)
            try Self.check("chown", path, faultline_chown_path(handle.number, owner, group))
        }
        try Self.check("chmod", path, faultline_chmod_path(handle.number, mode_t(node.attributes.mode)))
    }

    // MARK: Calls

    private static func openDirectory(_ parent: Descriptor?, _ name: ByteString, at path: ByteString)
        throws(MountError) -> Descriptor
    {
        // AT_FDCWD for the root, whose path is absolute.
        let number = name.withCString { faultline_open_directory(parent?.number ?? -100, $0) }
        return Descriptor(try check("open", path, number))
    }

    private static func openPath(_ directory: Descriptor, _ name: ByteString, _ path: ByteString)
        throws(MountError) -> Descriptor
    {
        Descriptor(try check("open", path, name.withCString { faultline_open_path(directory.number, $0) }))
    }

    @discardableResult
    private static func check(_ call: String, _ path: ByteString, _ result: Int32) throws(MountError) -> Int32 {
        guard result >= 0 else { throw .system(call: call, path: path, errno: -result) }
        return result
    }
}
