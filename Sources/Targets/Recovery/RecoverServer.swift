import Bytes
import Glibc
import Oracle

/// The server side of the recover protocol, for recover commands.
package struct RecoverServer {
    /// Opens the store in `directory`, passes each live key with its payload to `emit`, and closes it. It must not
    /// carry over state to the next directory.
    package typealias Dump = (_ directory: ByteString, _ emit: (ByteString, [UInt8]) throws -> Void) throws -> Void

    private let dump: Dump
    private var text: [UInt8] = []

    package init(_ dump: @escaping Dump) { self.dump = dump }

    /// Prints the dump of one directory.
    ///
    /// - Throws: the store's error when it does not open; a `TargetError` when writing to standard output fails.
    package mutating func serveOne(_ directory: ByteString) throws {
        try dump(directory) { key, payload in try print(.entry(key: key, payload: payload)) }
        try print(.end)
        try flush()
    }

    /// Reads directories from standard input, one per line, and prints a dump or an error line for each. Returns at the
    /// end of the input.
    package mutating func serveAll() throws(TargetError) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(0, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("read")
            }
            if count == 0 { return }
            pending += chunk[..<count]
            while let newline = pending.firstIndex(of: UInt8(ascii: "\n")) {
                try answer(ByteString(pending[..<newline]))
                pending.removeSubrange(...newline)
            }
        }
    }

    private mutating func answer(_ directory: ByteString) throws(TargetError) {
        do {
            try dump(directory) { key, payload in try print(.entry(key: key, payload: payload)) }
            try print(.end)
        } catch let error as TargetError {
            throw error
        } catch {
            try print(.error("\(error)"))
        }
        try flush()
    }

    private mutating func print(_ line: DumpLine) throws(TargetError) {
        line.append(to: &text)
        if text.count > 1 << 16 { try flush() }
    }

    private mutating func flush() throws(TargetError) {
        var done = 0
        while done < text.count {
            let count = text.withUnsafeBytes { write(1, $0.baseAddress! + done, $0.count - done) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write", "standard output")
            }
            done += count
        }
        text.removeAll(keepingCapacity: true)
    }
}
