import Bytes
import CPlatform
import Glibc
import Litmus

/// Executes a litmus script, and writes the begin and end of each step to the oracle file.
///
/// `faultline-target litmus workload --script=FILE --aftermath=commit|last-page|first-page`; FAULTLINE_DIR is an empty
/// directory on the filesystem; another file is made beside it. FAULTLINE_ORACLE receives the lines.
enum LitmusDriver {
    static func run(_ arguments: inout Arguments) throws {
        let file = try arguments.take("script")
        let aftermath = LitmusAftermath(
            rawValue: try arguments.take("aftermath", LitmusAftermath.allCases.map(\.rawValue)))
        try arguments.finish()
        let script = try LitmusScript(name: file, text: String(decoding: try bytes(of: file), as: UTF8.self))
        let (directory, lines) = (try variable("FAULTLINE_DIR"), try variable("FAULTLINE_ORACLE"))
        let oracle = open(lines, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard oracle >= 0 else { throw LitmusError("open \(lines): \(String(cString: strerror(errno)))") }
        let other = open(directory + "/../.other", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard other >= 0, pwrite(other, "a", 1, 0) == 1 else {
            throw LitmusError("\(directory)/../.other: \(String(cString: strerror(errno)))")
        }
        var executor: LitmusExecutor? = try LitmusExecutor(directory, beside: other)
        for step in script.base { try executor!.execute(step) }
        guard faultline_sync_filesystem(other) == 0 else { throw LitmusError("syncfs failed") }
        for (number, step) in script.run.enumerated() {
            try say("\(number + 1) begins: \(step.words.joined(separator: " "))\n", to: oracle)
            try executor!.execute(step)
            try say("\(number + 1) ends\n", to: oracle)
        }
        executor!.writeBack(aftermath)
        // What a sync of another file brings along, then a commit of what is there, then all.
        _ = pwrite(other, "b", 1, 0)
        _ = fsync(other)
        executor!.commit()
        _ = faultline_sync_filesystem(other)
        executor = nil
    }

    private static func variable(_ name: String) throws -> String {
        guard let value = getenv(name) else { throw UsageError(description: "\(name) is not set") }
        return String(cString: value)
    }

    /// Writes a line with one write call, so that it arrives whole.
    private static func say(_ line: String, to oracle: Int32) throws {
        let bytes = Array(line.utf8)
        guard write(oracle, bytes, bytes.count) == bytes.count else {
            throw LitmusError("write to the oracle: \(String(cString: strerror(errno)))")
        }
    }

    private static func bytes(of file: String) throws -> [UInt8] {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LitmusError("open \(file): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw LitmusError("read \(file): \(String(cString: strerror(errno)))") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }
}
