import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// Turns the backing directory in place from the state that programs saw into a crash state.
///
/// 1. Each name that the crash state does not have, or has for another inode, moves to the orphan directory. Unlinked
///    inodes are there already.
/// 2. Each missing name of the crash state is linked from another name or from the orphan directory. Removed
///    directories and small files are created again.
/// 3. Data, sizes and attributes are set where they differ.
///
/// The remaining orphans are removed with the state directory. Every file is reached by one name relative to its
/// directory's descriptor; symbolic links are not followed.
///
/// Threading: use it once, from one thread, while nothing else accesses the directory.
struct TreePatch {
    let from: Tree
    let to: Tree
    let backing: ByteString
    let orphans: SharedDescriptor
    let payloads: any PayloadStore

    /// A name under which an inode can be reached now.
    private struct InodeLocation {
        var directory: SharedDescriptor
        var name: ByteString
    }

    /// The state of an `apply` in progress.
    private struct Progress {
        /// The directories of the crash state.
        var wantedDirectories: Set<InodeID> = []
        var locations: [InodeID: InodeLocation] = [:]
        /// Directories that are at their final path.
        var attached: Set<InodeID> = [.root]
        /// Files whose data and attributes are set.
        var finished: Set<InodeID> = []
        /// Inodes with temporary permissions, to be reset.
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
        try applyAttributes(.root, root, backing)
    }

    // MARK: Removing names

    /// Moves each inode that the crash state does not have under the same name to the orphan directory.
    private func detach(_ inode: InodeID, _ directory: SharedDescriptor, _ path: ByteString, _ progress: inout Progress)
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
                progress.locations[child] = InodeLocation(directory: directory, name: name)
            } else {
                let result = name.withCString { from in
                    OrphanDirectory.name(of: child).withCString { to in
                        faultline_rename_at(directory.rawValue, from, orphans.rawValue, to, 0)
                    }
                }
                try Self.check("rename", path, result)
                // rename(2) does nothing when both names already refer to one inode.
                if node.kind != .directory {
                    let again = name.withCString { faultline_unlink_at(directory.rawValue, $0, 0) }
                    if again != -ENOENT { try Self.check("unlink", path, again) }
                }
            }
        }
    }

    // MARK: Adding names

    private func attach(
        _ inode: InodeID, _ directory: SharedDescriptor, _ path: ByteString, isFresh: Bool, _ progress: inout Progress
    ) throws(MountError) {
        let before = isFresh ? [:] : from.nodes[inode]?.entries ?? [:]
        for (name, child) in (to.nodes[inode]?.entries ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let node = to.nodes[child] else { continue }
            let path = path.appending(name)
            let isThere = before[name] == child
            if node.kind == .directory {
                let isNew = isThere ? false : try restoreDirectory(child, at: name, in: directory, path, &progress)
                progress.attached.insert(child)
                let inner = try Self.openDirectory(directory, name, at: path)
                try attach(child, inner, path, isFresh: isNew, &progress)
                try applyAttributes(
                    child, inner, path, isFresh: isNew, isUnlocked: progress.unlocked.contains(child))
            } else {
                let isNew = isThere ? false : try restoreFile(node, child, at: name, in: directory, path, progress)
                if progress.finished.insert(child).inserted {
                    progress.locations[child] = InodeLocation(directory: directory, name: name)
                    try finish(node, child, at: name, in: directory, path, isNew: isNew, &progress)
                }
            }
        }
    }

    /// Moves a directory back from the orphan directory, or creates it. True when it is new, and so empty.
    private func restoreDirectory(
        _ inode: InodeID, at name: ByteString, in directory: SharedDescriptor, _ path: ByteString,
        _ progress: inout Progress
    ) throws(MountError) -> Bool {
        if !progress.attached.contains(inode) {
            let result = OrphanDirectory.name(of: inode).withCString { from in
                name.withCString { to in faultline_rename_at(orphans.rawValue, from, directory.rawValue, to, 0) }
            }
            if result != -ENOENT {
                try Self.check("rename", path, result)
                return false
            }
        }
        try Self.check("mkdir", path, name.withCString { faultline_mkdir_at(directory.rawValue, $0, 0o700) })
        return true
    }

    /// Links a file from its current location, or creates it. True when it is new.
    private func restoreFile(
        _ node: Model.Node, _ inode: InodeID, at name: ByteString, in directory: SharedDescriptor, _ path: ByteString,
        _ progress: Progress
    ) throws(MountError) -> Bool {
        let current =
            progress.locations[inode] ?? InodeLocation(directory: orphans, name: OrphanDirectory.name(of: inode))
        let linked = current.name.withCString { from in
            name.withCString { to in faultline_link_at(current.directory.rawValue, from, directory.rawValue, to) }
        }
        if linked != -ENOENT {
            try Self.check("link", path, linked)
            return false
        }
        let made = name.withCString { text in
            switch node.kind {
            case .symbolicLink(let target): target.withCString { faultline_symlink_at($0, directory.rawValue, text) }
            case .fifo: faultline_mknod_at(directory.rawValue, text, S_IFIFO | 0o600)
            case .socket: faultline_mknod_at(directory.rawValue, text, S_IFSOCK | 0o600)
            case .regular, .directory: faultline_mknod_at(directory.rawValue, text, S_IFREG | 0o600)
            }
        }
        try Self.check("create", path, made)
        return true
    }

    // MARK: Contents and attributes

    private func finish(
        _ node: Model.Node, _ inode: InodeID, at name: ByteString, in directory: SharedDescriptor, _ path: ByteString,
        isNew: Bool, _ progress: inout Progress
    ) throws(MountError) {
        let before = isNew ? nil : from.nodes[inode]
        if node.kind == .regular, before?.sizeBytes != node.sizeBytes || before?.content != node.content {
            try unlock(inode, before ?? node, name, in: directory, path, &progress)
            let handle = try Self.openPath(directory, name, path)
            let file = SharedDescriptor(
                adopting: try Self.check("open", path, faultline_reopen(handle.rawValue, O_RDWR)))
            try ContentPatch(file: file.rawValue, path: path, payloads: payloads).apply(from: before, to: node)
        }
        let isUnlocked = progress.unlocked.contains(inode)
        guard
            isUnlocked || before?.attributes != node.attributes
                || before?.extendedAttributes != node.extendedAttributes
        else { return }
        if case .symbolicLink = node.kind { return }
        try applyAttributes(inode, Self.openPath(directory, name, path), path, isFresh: isNew, isUnlocked: isUnlocked)
    }

    /// Adds all owner permissions where an ordinary user needs them to change the inode. (Moving a directory needs
    /// write permission on the directory itself.)
    private func unlock(
        _ inode: InodeID, _ node: Model.Node, _ name: ByteString, in directory: SharedDescriptor, _ path: ByteString,
        _ progress: inout Progress
    ) throws(MountError) {
        guard geteuid() != 0, node.attributes.mode & 0o700 != 0o700 else { return }
        let handle = try Self.openPath(directory, name, path)
        let mode = mode_t(node.attributes.mode) | 0o700
        try Self.check("chmod", path, faultline_chmod_path(handle.rawValue, mode))
        progress.unlocked.insert(inode)
    }

    /// Sets owner, mode and extended attributes as in the crash state. `handle` may be O_PATH.
    private func applyAttributes(
        _ inode: InodeID, _ handle: SharedDescriptor, _ path: ByteString, isFresh: Bool = false,
        isUnlocked: Bool = false
    )
        throws(MountError)
    {
        guard let node = to.nodes[inode] else { return }
        let before = isFresh ? nil : from.nodes[inode]
        for name in (before?.extendedAttributes ?? [:]).keys where node.extendedAttributes[name] == nil {
            try Self.check("removexattr", path, name.withCString { faultline_removexattr_path(handle.rawValue, $0) })
        }
        for (name, value) in node.extendedAttributes where before?.extendedAttributes[name] != value {
            let result = name.withCString { name in
                value.bytes.withUnsafeBytes {
                    faultline_setxattr_path(handle.rawValue, name, $0.baseAddress, $0.count, 0)
                }
            }
            try Self.check("setxattr", path, result)
        }
        guard isUnlocked || before?.attributes != node.attributes else { return }
        if geteuid() == 0 {
            let (owner, group) = (node.attributes.owner, node.attributes.group)
            try Self.check("chown", path, faultline_chown_path(handle.rawValue, owner, group))
        }
        try Self.check("chmod", path, faultline_chmod_path(handle.rawValue, mode_t(node.attributes.mode)))
    }

    // MARK: Calls

    private static func openDirectory(_ parent: SharedDescriptor?, _ name: ByteString, at path: ByteString)
        throws(MountError) -> SharedDescriptor
    {
        // AT_FDCWD for the root, whose path is absolute.
        let number = name.withCString { faultline_open_directory(parent?.rawValue ?? -100, $0) }
        return SharedDescriptor(adopting: try check("open", path, number))
    }

    private static func openPath(_ directory: SharedDescriptor, _ name: ByteString, _ path: ByteString)
        throws(MountError) -> SharedDescriptor
    {
        SharedDescriptor(
            adopting: try check("open", path, name.withCString { faultline_open_path(directory.rawValue, $0) }))
    }

    @discardableResult
    private static func check(_ call: String, _ path: ByteString, _ result: Int32) throws(MountError) -> Int32 {
        guard result >= 0 else { throw .system(call: call, path: path, errno: -result) }
        return result
    }
}
