import ArgumentParser
import Bytes
import Glibc
import Platform

/// Absolute paths, for a process with another working directory.
enum ArgumentPath {
    /// The path of an existing file, without symbolic links.
    static func existing(_ path: ByteString) throws -> ByteString {
        guard let resolved = path.withCString({ realpath($0, nil) }) else {
            // The mount of a killed process does not answer; resolve its parent instead.
            if errno == ENOTCONN { return try new(path) }
            throw ValidationError("\(path): \(Errno(errno))")
        }
        defer { free(resolved) }
        return ByteString(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    /// The path of a file that may not exist, in an existing directory.
    static func new(_ path: ByteString) throws -> ByteString {
        var bytes = path.bytes
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else {
            return join(try existing("."), bytes[...])
        }
        return join(try existing(slash == 0 ? "/" : ByteString(bytes[..<slash])), bytes[(slash + 1)...])
    }

    /// The path of a mount point, resolved without accessing it: its process may be gone.
    static func ofMount(_ path: ByteString) throws -> ByteString {
        path == "." || path == ".." || path.bytes.suffix(2).elementsEqual([0x2f, 0x2e])
            ? try existing(path) : try new(path)
    }

    /// The path as a command-line argument, which must be UTF-8.
    static func argument(_ path: ByteString) throws -> String {
        guard let text = String(validating: path.bytes, as: UTF8.self) else {
            throw ValidationError("\(path): a path that is not UTF-8 works with --foreground alone")
        }
        return text
    }

    private static func join(_ directory: ByteString, _ name: ArraySlice<UInt8>) -> ByteString {
        let separator: [UInt8] = directory == "/" ? [] : [UInt8(ascii: "/")]
        return ByteString(directory.bytes + separator + name)
    }
}
