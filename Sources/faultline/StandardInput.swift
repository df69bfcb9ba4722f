import Glibc
import Storage

/// Reads standard input.
enum StandardInput {
    /// Passes all bytes to `body` in chunks.
    static func forEachChunk(_ body: (ArraySlice<UInt8>) throws -> Void) throws {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TreeError.system(call: "read", path: "standard input", errno: errno) }
            if count == 0 { return }
            try body(chunk[..<count])
        }
    }
}
