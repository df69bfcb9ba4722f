import Bytes
import CPlatform
import Glibc

/// Removes files beneath a directory, however a program left them: without permissions, immutable or append-only (as
/// far as this process may change that), nested deeper than a path can be long.
///
/// Symbolic links are not followed. Whatever is mounted inside is neither entered nor changed: it is an error. After an
/// error the rest is removed all the same, and the first error is thrown.
package enum TreeRemoval {
    /// Removes everything in the directory at `path`, and keeps the directory.
    package static func removeContents(of path: ByteString) throws(TreeError) {
        try TreeSweep.empty(DirectoryHandle(opening: path), keepingToTheEnd: [])
    }

    /// Removes the directory at `path` with everything in it. A directory that is not there is no error.
    ///
    /// - Parameter last: files in the directory that are removed after everything else, in this order. They stay when
    ///   something else does, so that what they say about the directory is not lost.
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

    /// Removes one file, by its path beneath a directory.
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

/// One removal on its way.
private struct TreeSweep: ~Copyable {
    /// From this depth on a directory is moved up to the root of the removal, so that neither descriptors nor the stack
    /// run out.
    private static let depthLimit = 64

    private let root: Int32
    private var firstError: TreeError?
    private var movedCount = 0

    static func empty(
        _ root: consuming DirectoryHandle, keepingToTheEnd last: [ByteString]
    ) throws(TreeError) {
        var sweep = TreeSweep(root: root.descriptor)
        // What was moved up is removed in the next round, which finds it less deep.
        while true {
            let before = sweep.movedCount
            sweep.empty(root, depth: 0, keeping: last)
            if sweep.movedCount == before { break }
        }
        if let error = sweep.firstError { throw error }
        for name in last { sweep.attempt { sweep throws(TreeError) in try sweep.remove(name, in: root, depth: 0) } }
        if let error = sweep.firstError { throw error }
    }

    private init(root: Int32) { self.root = root }

    /// The directory `name`, ready to lose its entries.
    static func open(_ name: ByteString, in parent: borrowing DirectoryHandle) throws(TreeError) -> DirectoryHandle {
        try parent.check(name)
        var opened = name.withCString { faultline_open_directory_unless_mounted(parent.descriptor, $0) }
        if opened == -EACCES {
            // Nothing is mounted there: that would have been said first.
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
        // Immutable and append-only directories let nobody change their mode either.
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

    /// Removes one entry. One that is not there is no error.
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
            // POSIX has EPERM for a directory, too.
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
        // What is still inside has been said, or was moved there and waits for the next round.
        if failure == 0 || failure == ENOENT || failure == ENOTEMPTY && firstError != before { return }
        throw .system(call: "rmdir", path: directory.child(name), errno: failure)
    }

    private mutating func moveUp(_ name: ByteString, from directory: borrowing DirectoryHandle) -> Bool {
        // A directory may be moved by who may write to it: its `..` changes.
        guard let opened = try? Self.open(name, in: directory) else { return false }
        if fchmod(opened.descriptor, 0o700) != 0, errno == EPERM { _ = faultline_clear_protection(opened.descriptor) }
        let place = ByteString(".faultline-removal-\(movedCount + 1)")
        let result = name.withCString { from in
            place.withCString { faultline_rename_at(directory.descriptor, from, root, $0, 1) }
        }
        if result == 0 { movedCount += 1 }
        return result == 0
    }

    /// Takes the flags away that keep a file from being removed.
    private func unprotect(
        _ name: ByteString, _ kind: mode_t, in directory: borrowing DirectoryHandle
    ) throws(TreeError) {
        var answer = faultline_clear_protection(directory.descriptor)
        // Opening a device does something, and opening a FIFO or a socket leads nowhere.
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
    /// unlinkat(2): 0, or the errno.
    fileprivate func unlink(_ name: ByteString, _ flags: Int32) -> Int32 {
        while true {
            if name.withCString({ unlinkat(descriptor, $0, flags) }) == 0 { return 0 }
            if errno != EINTR { return errno }
        }
    }

    /// chmod(2) of `name` itself: a link that was put in its place meanwhile is not followed.
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

    /// The type of file that `name` is; nil when it is not there.
    fileprivate func kind(of name: ByteString) -> mode_t? {
        var attributes = stat()
        let result = name.withCString { fstatat(descriptor, $0, &attributes, AT_SYMLINK_NOFOLLOW) }
        return result == 0 ? attributes.st_mode & S_IFMT : nil
    }
}

extension ByteString {
    /// The directory that this path names something in, and that name.
    fileprivate var splitAtLastSlash: (parent: ByteString, name: ByteString) {
        let slash = UInt8(ascii: "/")
        let trimmed = bytes[..<((bytes.lastIndex { $0 != slash } ?? -1) + 1)]
        guard let last = trimmed.lastIndex(of: slash) else { return (".", ByteString(trimmed)) }
        return (ByteString(trimmed[..<max(1, last)]), ByteString(trimmed[(last + 1)...]))
    }
}
