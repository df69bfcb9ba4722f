import Bytes
import Glibc
import Storage

/// Directories and small files of a run.
enum RunFiles {
    /// Makes a directory for its owner alone; one that exists is an error.
    static func makeDirectory(_ path: ByteString) throws {
        let result = path.withCString { mkdir($0, 0o700) }
        guard result == 0 else { throw TreeError.system(call: "mkdir", path: path, errno: errno) }
    }

    /// The bytes of a file.
    static func read(_ path: ByteString) throws -> [UInt8] {
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw TreeError.system(call: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TreeError.system(call: "read", path: path, errno: errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// Appends to a file, which is made if it is not there, for its owner alone.
    static func append(_ bytes: [UInt8], to path: ByteString, mode: mode_t = 0o600) throws {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
        let descriptor = path.withCString { open($0, flags, mode) }
        guard descriptor >= 0 else { throw TreeError.system(call: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw TreeError.system(call: "write", path: path, errno: count < 0 ? errno : EIO) }
            done += count
        }
    }

    /// Cuts a file.
    static func truncate(_ path: ByteString, to sizeBytes: Int) throws {
        let result = path.withCString { Glibc.truncate($0, off_t(sizeBytes)) }
        guard result == 0 else { throw TreeError.system(call: "truncate", path: path, errno: errno) }
    }

    /// Gives a file another name; false where that cannot be done.
    static func link(_ from: ByteString, _ to: ByteString) -> Bool {
        from.withCString { from in to.withCString { to in Glibc.link(from, to) == 0 } }
    }
}
