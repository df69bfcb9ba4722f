import Bytes
import CPlatform
import Glibc

/// Creates an output directory atomically: it appears complete or not at all.
///
/// It is filled under a temporary name in the same parent (`.faultline-…`) and renamed when complete, so that a retry
/// never finds remains of a failed attempt. A mount point cannot be renamed: it is filled in place, and emptied on
/// failure.
package enum OutputDirectory {
    /// What may exist at the path.
    package enum Existing: Hashable, Sendable {
        case refused
        /// An empty directory, which is then filled.
        case emptyDirectory
    }

    /// Creates the directory at `path`. `fill` gets the path of a directory and creates the contents.
    ///
    /// - Parameters:
    ///   - permissions: masked by the umask.
    ///   - isDurable: syncs the name. `fill` must sync the contents.
    package static func make<Result>(
        _ path: ByteString, permissions: UInt32 = 0o700, existing: Existing = .refused, isDurable: Bool = false,
        _ fill: (ByteString) throws -> Result
    ) throws -> Result {
        var place = path.withoutTrailingSlashes
        // Keeps a link to an empty directory and fills its target.
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

    /// Throws the errors that `make` would throw for this path, without creating anything. For use before long work.
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

    /// False when the existing directory cannot be replaced and must be filled in place.
    private static func publish(
        _ temporary: ByteString, at place: ByteString, _ path: ByteString, _ existing: Existing
    ) throws(OutputError) -> Bool {
        var status = stat()
        let isThere = existing == .emptyDirectory && place.withCString { lstat($0, &status) } == 0
        // The new directory takes owner and mode of the existing one.
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
        // Without support for RENAME_NOREPLACE: a plain rename replaces only an empty directory.
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

/// An error whose text has the final path instead of the temporary one.
package struct MovedPathError: Error, CustomStringConvertible {
    package let underlying: any Error
    package let description: String

    /// `error` with `temporary` replaced by `place` in its paths.
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
    /// The real path of the directory; nil when it is not a directory.
    fileprivate var resolvedDirectory: ByteString? {
        guard isDirectory, let path = withCString({ realpath($0, nil) }) else { return nil }
        defer { free(path) }
        return ByteString(cString: path)
    }

    /// The path without trailing slashes.
    package var withoutTrailingSlashes: ByteString {
        var bytes = bytes[...]
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return ByteString(bytes)
    }
}
