import Bytes
import CPlatform
import Glibc

/// Removes directory trees in any state: without permissions, immutable or append-only (if this process may change
/// that), nested deeper than PATH_MAX.
///
/// Does not follow symbolic links. A mount point inside is an error and is neither entered nor changed. After an error
/// the rest is still removed; then the first error is thrown.
package enum TreeRemoval {
    /// Removes everything in the directory at `path`, but not the directory.
    package static func removeContents(of path: ByteString) throws(TreeError) {
        try TreeSweep.empty(DirectoryHandle(opening: path), keepingToTheEnd: [])
    }

    /// Removes the directory at `path` with its contents. Does nothing when it does not exist.
    ///
    /// - Parameter last: files to remove after everything else, in this order. They stay if anything else could not be
    ///   removed, so that their information about the directory is not lost.
    package static func remove(_ path: ByteString, last: [ByteString] = []) throws(TreeError) {
        let (parent, name) = path.splitAtLastSlash
        do throws(TreeError) {
            let above = try DirectoryHandle(holding: parent)
            try TreeSweep.empty(TreeSweep.open(name, in: above), keepingToTheEnd: last)
            let failure = above.unlink(name, AT_REMOVEDIR)
            if failure != 0 { throw .system(call: "rmdir", path: path, errno: failure) }
        } catch .system(_, _, ENOENT) {
            return
        }
    }

    /// Removes an entry of a directory, with everything in it. A missing entry is not an error.
    static func remove(_ name: ByteString, in directory: borrowing DirectoryHandle) throws(TreeError) {
        try TreeSweep.remove(name, in: directory)
    }

    /// Removes one file, by its path relative to a directory.
    package static func remove(file path: ByteString, beneath directory: ByteString) throws(TreeError) {
        let names = path.bytes.split(separator: UInt8(ascii: "/")).map { ByteString($0) }
        try remove(names[...], in: DirectoryHandle(opening: directory))
    }

    private static func remove(
        _ names: ArraySlice<ByteString>, in directory: borrowing DirectoryHandle
    ) throws(TreeError) {
        guard let name = names.first else { return }
        guard names.count > 1 else {
            try directory.call("unlinkat", name) { unlinkat($0, $1, 0) }
            return
        }
        try remove(names.dropFirst(), in: DirectoryHandle(name, in: directory))
    }
}

/// A removal in progress.
private struct TreeSweep: ~Copyable {
    /// Deeper directories are first moved to the root of the removal, which bounds descriptors and stack.
    private static let depthLimit = 64

    private let root: Int32
    private var firstError: TreeError?
    private var movedCount = 0

    static func empty(
        _ root: consuming DirectoryHandle, keepingToTheEnd last: [ByteString]
    ) throws(TreeError) {
        var sweep = TreeSweep(root: root.descriptor)
        // The next round removes the directories that were moved to the root.
        while true {
            let before = sweep.movedCount
            sweep.empty(root, depth: 0, keeping: last)
            if sweep.movedCount == before { break }
        }
        if let error = sweep.firstError { throw error }
        for name in last { sweep.attempt { sweep throws(TreeError) in try sweep.remove(name, in: root, depth: 0) } }
        if let error = sweep.firstError { throw error }
    }

    static func remove(_ name: ByteString, in root: borrowing DirectoryHandle) throws(TreeError) {
        var sweep = TreeSweep(root: root.descriptor)
        sweep.attempt { sweep throws(TreeError) in try sweep.remove(name, in: root, depth: 0) }
        var removedCount = 0
        while removedCount < sweep.movedCount {
            removedCount += 1
            let moved = movedName(removedCount)
            sweep.attempt { sweep throws(TreeError) in try sweep.remove(moved, in: root, depth: 0) }
        }
        if let error = sweep.firstError { throw error }
    }

    private init(root: Int32) { self.root = root }

    private static func movedName(_ number: Int) -> ByteString { ByteString(".faultline-removal-\(number)") }

    /// Opens the directory `name` and makes it readable and writable. Throws for a mount point.
    static func open(_ name: ByteString, in parent: borrowing DirectoryHandle) throws(TreeError) -> DirectoryHandle {
        try parent.check(name)
        var opened = name.withCString { faultline_open_directory_unless_mounted(parent.descriptor, $0) }
        if opened == -EACCES {
            // Not a mount point: EXDEV would have come first.
            try parent.changeMode(name, to: 0o700)
            opened = name.withCString { faultline_open_directory_unless_mounted(parent.descriptor, $0) }
        }
        if opened == -EXDEV { throw .mountPoint(parent.child(name)) }
        guard opened >= 0 else { throw .system(call: "openat", path: parent.child(name), errno: -opened) }
        return DirectoryHandle(descriptor: opened, path: parent.child(name))
    }

    private mutating func attempt(_ step: (inout TreeSweep) throws(TreeError) -> Void) {
        do throws(TreeError) { try step(&self) } catch { firstError = firstError ?? error }
    }

    private mutating func empty(_ directory: borrowing DirectoryHandle, depth: Int, keeping kept: [ByteString] = []) {
        // EPERM: immutable or append-only, which also forbids chmod.
        if fchmod(directory.descriptor, 0o700) != 0, errno == EPERM {
            _ = faultline_clear_protection(directory.descriptor)
            _ = fchmod(directory.descriptor, 0o700)
        }
        let names: [ByteString]
        do throws(TreeError) { names = try directory.names() } catch {
            firstError = firstError ?? error
            return
        }
        for name in names where !kept.contains(name) {
            do throws(TreeError) { try remove(name, in: directory, depth: depth) } catch {
                firstError = firstError ?? error
            }
        }
    }

    /// Removes one entry. Does nothing when it does not exist.
    private mutating func remove(
        _ name: ByteString, in directory: borrowing DirectoryHandle, depth: Int
    ) throws(TreeError) {
        let failure = directory.unlink(name, 0)
        switch failure {
        case 0, ENOENT: return
        case EBUSY: throw .mountPoint(directory.child(name))
        case EISDIR: return try removeDirectory(name, in: directory, depth: depth)
        case EPERM, EACCES:
            guard let kind = directory.kind(of: name) else { return }
            // POSIX allows EPERM for a directory.
            if kind == S_IFDIR { return try removeDirectory(name, in: directory, depth: depth) }
            try unprotect(name, kind, in: directory)
            let again = directory.unlink(name, 0)
            if again == 0 || again == ENOENT { return }
            throw .system(call: "unlinkat", path: directory.child(name), errno: again)
        default: throw .system(call: "unlinkat", path: directory.child(name), errno: failure)
        }
    }

    private mutating func removeDirectory(
        _ name: ByteString, in directory: borrowing DirectoryHandle, depth: Int
    ) throws(TreeError) {
        if depth >= Self.depthLimit, moveUp(name, from: directory) { return }
        let before = firstError
        do { empty(try Self.open(name, in: directory), depth: depth + 1) }
        let failure = directory.unlink(name, AT_REMOVEDIR)
        // ENOTEMPTY with an error recorded inside, or with directories that the next round removes.
        if failure == 0 || failure == ENOENT || failure == ENOTEMPTY && firstError != before { return }
        throw .system(call: "rmdir", path: directory.child(name), errno: failure)
    }

    private mutating func moveUp(_ name: ByteString, from directory: borrowing DirectoryHandle) -> Bool {
        // Moving a directory changes its `..` and so needs write permission on it.
        guard let opened = try? Self.open(name, in: directory) else { return false }
        if fchmod(opened.descriptor, 0o700) != 0, errno == EPERM { _ = faultline_clear_protection(opened.descriptor) }
        let place = Self.movedName(movedCount + 1)
        let result = name.withCString { from in
            place.withCString { faultline_rename_at(directory.descriptor, from, root, $0, 1) }
        }
        if result == 0 { movedCount += 1 }
        return result == 0
    }

    /// Clears the immutable and append-only flags of the directory and, for a regular file, of the file.
    private func unprotect(
        _ name: ByteString, _ kind: mode_t, in directory: borrowing DirectoryHandle
    ) throws(TreeError) {
        var answer = faultline_clear_protection(directory.descriptor)
        // Opening a device may have side effects; FIFOs and sockets have no flags to clear.
        if answer != -EPERM, kind == S_IFREG {
            let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
            let file = name.withCString { openat(directory.descriptor, $0, flags) }
            guard file >= 0 else { return }
            defer { close(file) }
            answer = faultline_clear_protection(file)
        }
        if answer == -EPERM { throw .protected(directory.child(name)) }
    }
}

extension DirectoryHandle {
    /// unlinkat(2); returns 0 or the errno.
    fileprivate func unlink(_ name: ByteString, _ flags: Int32) -> Int32 {
        while true {
            if name.withCString({ unlinkat(descriptor, $0, flags) }) == 0 { return 0 }
            if errno != EINTR { return errno }
        }
    }

    /// chmod(2) of `name`, without following a link.
    fileprivate func changeMode(_ name: ByteString, to mode: mode_t) throws(TreeError) {
        try call("chmod", name) { parent, text in
            let handle = faultline_open_path(parent, text)
            guard handle >= 0 else {
                errno = -handle
                return -1
            }
            defer { close(handle) }
            let result = faultline_chmod_path(handle, mode)
            errno = -result
            return result
        }
    }

    /// The file type (S_IFMT) of `name`; nil when it does not exist.
    fileprivate func kind(of name: ByteString) -> mode_t? {
        var attributes = stat()
        let result = name.withCString { fstatat(descriptor, $0, &attributes, AT_SYMLINK_NOFOLLOW) }
        return result == 0 ? attributes.st_mode & S_IFMT : nil
    }
}

extension ByteString {
    /// The parent directory and the last component.
    fileprivate var splitAtLastSlash: (parent: ByteString, name: ByteString) {
        let slash = UInt8(ascii: "/")
        let trimmed = bytes[..<((bytes.lastIndex { $0 != slash } ?? -1) + 1)]
        guard let last = trimmed.lastIndex(of: slash) else { return (".", ByteString(trimmed)) }
        return (ByteString(trimmed[..<max(1, last)]), ByteString(trimmed[(last + 1)...]))
    }
}
