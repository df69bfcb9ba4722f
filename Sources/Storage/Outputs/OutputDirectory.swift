import Bytes
import CPlatform
import Glibc

/// A directory that a command makes: it is there whole, or not at all.
///
/// It is filled under another name beside its place (`.faultline-…`), and gets its own name when everything is in it, so
/// that whatever goes wrong, trying again is not in the way of what was left. Only a directory that has to stay what it
/// is, a mount point, is filled where it is and emptied again.
package enum OutputDirectory {
    /// What may stand at its place.
    package enum Existing: Hashable, Sendable {
        case refused
        /// An empty directory, which then is filled.
        case emptyDirectory
    }

    /// Makes the directory at `path` with what `fill` puts into the one that it is given.
    ///
    /// - Parameters:
    ///   - permissions: less the umask.
    ///   - isDurable: the name is on disk when this returns. What is in the directory is the caller's to sync.
    package static func make<Result>(
        _ path: ByteString, permissions: UInt32 = 0o700, existing: Existing = .refused, isDurable: Bool = false,
        _ fill: (ByteString) throws -> Result
    ) throws -> Result {
        var place = path.withoutTrailingSlashes
        // A link to an empty directory stays, and the directory behind it is the one.
        if existing == .emptyDirectory, let resolved = place.resolvedDirectory { place = resolved }
        try require(place, existing, path)
        let (parent, name) = place.splittingLastComponent
        guard name != ".", name != ".." || existing == .emptyDirectory else { throw OutputError(path, .exists) }
        let temporary = parent.appending(component: OutputDescriptor.temporaryName())
        UnfinishedOutputs.add(temporary)
        defer { UnfinishedOutputs.remove(temporary) }
        guard temporary.withCString({ mkdir($0, mode_t(permissions)) }) == 0 else {
            let error = errno
            if existing == .emptyDirectory, place.isDirectory { return try fillInPlace(place, fill) }
            throw OutputError(path, error == ENOENT ? .parent(parent, errno: error) : .system(errno: error))
        }
        do {
            let result = try fill(temporary)
            if try publish(temporary, at: place, path, existing) {
                if isDurable { try sync(parent, path) }
                return result
            }
        } catch {
            try? TreeRemoval.remove(temporary)
            throw MovedPathError.naming(place, for: temporary, in: error)
        }
        try TreeRemoval.remove(temporary)
        return try fillInPlace(place, fill)
    }

    /// Throws what `make` would throw for a place where no directory can be made: before long work, whose result it is to
    /// hold. Makes nothing.
    package static func check(_ path: ByteString, existing: Existing = .refused) throws(OutputError) {
        let place = path.withoutTrailingSlashes
        try require(place, existing, path)
        let parent = place.splittingLastComponent.parent
        guard parent.withCString({ access($0, W_OK | X_OK) }) != 0 else { return }
        throw OutputError(path, .parent(parent, errno: errno))
    }

    private static func require(_ place: ByteString, _ existing: Existing, _ path: ByteString) throws(OutputError) {
        guard !place.isEmpty, !place.bytes.contains(0) else { throw OutputError(path, .system(errno: EINVAL)) }
        var status = stat()
        guard place.withCString({ lstat($0, &status) }) == 0 else { return }
        guard existing == .emptyDirectory, place.isDirectory else { throw OutputError(path, .exists) }
        let isEmpty: Bool
        do throws(TreeError) { isEmpty = try DirectoryHandle(opening: place).names().isEmpty } catch {
            throw OutputError(path, .system(errno: error.errno))
        }
        guard isEmpty else { throw OutputError(path, .notEmpty) }
    }

    /// False when the directory that is there cannot be replaced, and is to be filled where it is.
    private static func publish(
        _ temporary: ByteString, at place: ByteString, _ path: ByteString, _ existing: Existing
    ) throws(OutputError) -> Bool {
        var status = stat()
        let isThere = existing == .emptyDirectory && place.withCString { lstat($0, &status) } == 0
        // The directory keeps what was set for it.
        if isThere {
            _ = temporary.withCString { chown($0, status.st_uid, status.st_gid) }
            _ = temporary.withCString { chmod($0, status.st_mode & 0o7777) }
        }
        let result = rename(temporary, place, refusesExisting: !isThere)
        if result == -EBUSY, isThere { return false }
        if result == -EEXIST || result == -ENOTEMPTY { throw OutputError(path, isThere ? .notEmpty : .exists) }
        if result < 0 { throw OutputError(path, .system(errno: -result)) }
        return true
    }

    private static func rename(_ from: ByteString, _ to: ByteString, refusesExisting: Bool) -> Int32 {
        func rename(_ flags: UInt32) -> Int32 {
            from.withCString { from in to.withCString { faultline_rename_at(AT_FDCWD, from, AT_FDCWD, $0, flags) } }
        }
        let result = rename(refusesExisting ? 1 : 0)
        // Not every filesystem knows RENAME_NOREPLACE; a plain rename replaces nothing but an empty directory.
        return result == -EINVAL && refusesExisting ? rename(0) : result
    }

    private static func fillInPlace<Result>(_ place: ByteString, _ fill: (ByteString) throws -> Result) throws -> Result
    {
        do { return try fill(place) } catch {
            try? TreeRemoval.removeContents(of: place)
            throw error
        }
    }

    private static func sync(_ parent: ByteString, _ path: ByteString) throws(OutputError) {
        let number = parent.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard number >= 0 else { return }
        defer { close(number) }
        if fsync(number) != 0, errno != EINVAL { throw OutputError(path, .system(errno: errno)) }
    }
}

/// An error that speaks of the place where something was to be, and not of where it was made.
package struct MovedPathError: Error, CustomStringConvertible {
    package let underlying: any Error
    package let description: String

    /// `error` as it is, unless it names a path beneath `temporary`.
    static func naming(_ place: ByteString, for temporary: ByteString, in error: any Error) -> any Error {
        if var error = error as? OutputError {
            guard error.path.bytes.starts(with: temporary.bytes) else { return error }
            error.path = ByteString(place.bytes + error.path.bytes[temporary.count...])
            return error
        }
        let text = "\(error)"
        let moved = text.replacing("\(temporary)", with: "\(place)")
        return moved == text ? error : MovedPathError(underlying: error, description: moved)
    }
}

extension ByteString {
    /// The path of the directory that this one leads to; nil when it leads to none.
    fileprivate var resolvedDirectory: ByteString? {
        guard isDirectory, let path = withCString({ realpath($0, nil) }) else { return nil }
        defer { free(path) }
        return ByteString(cString: path)
    }

    /// The same path without slashes at its end.
    package var withoutTrailingSlashes: ByteString {
        var bytes = bytes[...]
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return ByteString(bytes)
    }
}
