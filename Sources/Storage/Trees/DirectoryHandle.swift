import Bytes
import CPlatform
import Glibc

/// An open directory. Entries are accessed by single names, without following links, so that a hostile tree cannot
/// reach files outside.
struct DirectoryHandle: ~Copyable {
    let descriptor: Int32
    let path: ByteString

    init(opening path: ByteString) throws(TreeError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let opened = path.withCString { open($0, flags) }
        guard opened >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        descriptor = opened
        self.path = path
    }

    /// The directory `name` within `parent`.
    init(_ name: ByteString, in parent: borrowing DirectoryHandle) throws(TreeError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        descriptor = try parent.call("openat", name) { openat($0, $1, flags) }
        path = parent.child(name)
    }

    /// Opens the directory at `path` with O_PATH, as a base for names. Follows symbolic links.
    init(holding path: ByteString) throws(TreeError) {
        let opened = path.withCString { faultline_hold_directory($0) }
        guard opened >= 0 else { throw .system(call: "open", path: path, errno: -opened) }
        self.init(descriptor: opened, path: path)
    }

    /// Takes ownership of a descriptor.
    init(descriptor: Int32, path: ByteString) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// The path of an entry, for errors. In deep trees `...` replaces the middle, so that paths stay bounded. Such a path
    /// still exceeds PATH_MAX: no call accepts it.
    func child(_ name: ByteString) -> ByteString {
        let limit = 2 * Int(PATH_MAX)
        let front = path.count <= limit ? path.bytes : path.bytes.prefix(limit) + Array("/...".utf8)
        return ByteString(front + [UInt8(ascii: "/")] + name.bytes)
    }

    func check(_ name: ByteString) throws(TreeError) {
        do throws(StorageError) { try name.checkedAsFileName() } catch { throw .invalidName(name, directory: path) }
    }

    /// Runs a system call on an entry. Repeats it on EINTR; throws the errno for a negative result.
    @discardableResult
    func call(_ call: String, _ name: ByteString, _ body: (Int32, UnsafePointer<CChar>) -> Int32) throws(TreeError)
        -> Int32
    {
        try check(name)
        while true {
            let result = name.withCString { body(descriptor, $0) }
            if result >= 0 { return result }
            if errno != EINTR { throw .system(call: call, path: child(name), errno: errno) }
        }
    }

    /// The status of an entry, without following a link.
    func status(of name: ByteString) throws(TreeError) -> stat {
        var status = stat()
        try call("fstatat", name) { fstatat($0, $1, &status, AT_SYMLINK_NOFOLLOW) }
        return status
    }

    /// The target of a symbolic link.
    func linkTarget(_ name: ByteString) throws(TreeError) -> ByteString {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = try call("readlinkat", name) { descriptor, text in
            Int32(bytes.withUnsafeMutableBytes { readlinkat(descriptor, text, $0.baseAddress!, $0.count) })
        }
        return ByteString(bytes[..<Int(count)])
    }

    /// The names in the directory, without `.` and `..`.
    func names() throws(TreeError) -> [ByteString] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            throw .system(call: "fdopendir", path: path, errno: errno)
        }
        defer { closedir(stream) }
        var names: [ByteString] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let bytes = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: UInt8.self, capacity: 256) { text in
                    Array(UnsafeBufferPointer(start: text, count: strlen(name)))
                }
            }
            if bytes != Array(".".utf8), bytes != Array("..".utf8) { names.append(ByteString(bytes)) }
        }
        if errno != 0 { throw .system(call: "readdir", path: path, errno: errno) }
        return names
    }
}
