import Bytes
import Glibc
import Model
import Platform

/// Reads files of rules, and of the faults of an earlier run, given on the command line.
package enum RuleFile {
    /// An error in such a file, with its position.
    package enum Problem: Error, Hashable, Sendable {
        case unreadable(ByteString, reason: String)
        case mistake(ByteString, RuleError)
    }

    /// Far above what is written by hand or injected in a run.
    private static let limitBytes = 64 << 20

    package static func rules(_ path: ByteString) throws(Problem) -> [Rule] {
        let text = try contents(of: path)
        do throws(RuleError) { return try Rule.list(parsing: text) } catch { throw .mistake(path, error) }
    }

    package static func script(_ path: ByteString) throws(Problem) -> ScriptedFaults {
        let text = try contents(of: path)
        do throws(RuleError) { return try ScriptedFaults(parsing: text) } catch { throw .mistake(path, error) }
    }

    /// Reads a file or, for `--rules <(command)`, a pipe to its end. Rejects a pipe without a writer, which would never
    /// end.
    private static func contents(of path: ByteString) throws(Problem) -> ByteString {
        let file = path.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard file >= 0 else { throw .unreadable(path, reason: Errno(errno).description) }
        defer { close(file) }
        var status = stat()
        let isPipe = fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                var readable = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
                _ = poll(&readable, 1, -1)
                continue
            }
            guard count >= 0 else { throw .unreadable(path, reason: Errno(errno).description) }
            if count == 0 {
                guard !isPipe || !bytes.isEmpty else {
                    throw .unreadable(path, reason: "a FIFO that nobody writes to: start the writer first")
                }
                return ByteString(bytes)
            }
            bytes += chunk[..<count]
            guard bytes.count <= limitBytes else { throw .unreadable(path, reason: "it is longer than 64 MiB") }
        }
    }
}

extension RuleFile.Problem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .mistake(let path, let error): "\(path): \(error)"
        }
    }
}
