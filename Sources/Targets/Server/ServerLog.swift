import Bytes
import Glibc
import Platform

/// What a server says from its start on, in a file or on its standard streams.
struct ServerLog: Sendable {
    /// The log file; nil for the standard streams.
    private let path: ByteString?
    /// Its size before the start: what a crash state holds is from another time.
    private let startBytes: Int

    init(_ path: ByteString?) {
        self.path = path
        startBytes = path.flatMap(Self.size) ?? 0
    }

    private static let (tailBytes, tailLines) = (64 << 10, 3)

    /// How the line begins in which Go, Rust and Java say why they end. Stacks follow it.
    private static let panics = ["panic: ", "fatal error: ", "thread '", "Exception in thread "]

    /// The last lines, or the line that says why and the next, on one line; of `output` if there is no log file, or nothing
    /// in it.
    func tail(otherwise output: ByteString) -> String {
        let written = path.flatMap(read) ?? []
        let bytes = written.isEmpty ? output.bytes : written
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        let panic = lines.lastIndex { line in Self.panics.contains { line.starts(with: $0.utf8) } }
        let shown = panic.map { lines[$0...].prefix(2) } ?? lines.suffix(Self.tailLines)
        return ByteString(Array(shown.joined(separator: [UInt8(ascii: "\n")]))).said
    }

    private static func size(_ path: ByteString) -> Int? {
        var status = stat()
        return path.withCString { stat($0, &status) } == 0 ? Int(status.st_size) : nil
    }

    private func read(_ path: ByteString) -> [UInt8]? {
        guard let size = Self.size(path), let file = try? SharedDescriptor.open(path, O_RDONLY | O_NONBLOCK) else {
            return nil
        }
        // A log that was truncated meanwhile is all new.
        let start = max(size < startBytes ? 0 : startBytes, size - Self.tailBytes)
        return [UInt8](unsafeUninitializedCapacity: Self.tailBytes) { buffer, count in
            count = max(0, pread(file.rawValue, buffer.baseAddress, min(buffer.count, size - start), off_t(start)))
        }
    }
}
