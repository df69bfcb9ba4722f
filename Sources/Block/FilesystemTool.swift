import Bytes
import Glibc
import Targets

/// Runs the programs that come with filesystems: mkfs, fsck, mount, umount. No shell sees their arguments.
package enum FilesystemTool {
    /// How a program ended, and what it said on both of its streams.
    package struct Outcome: Sendable {
        package var isSuccess: Bool
        package var ending: String
        /// Its lines, without blank ones.
        package var lines: [String]

        package var said: String { lines.joined(separator: " | ") }
    }

    private static let timeoutMilliseconds = 60_000

    /// Where a program of this name is: in PATH, /usr/sbin or /sbin.
    package static func find(_ name: String) -> ByteString? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]).lazy
            .map { ByteString("\($0)/\(name)") }.first { $0.withCString { access($0, X_OK) } == 0 }
    }

    /// Runs a program to its end, whatever that is.
    ///
    /// - Parameters:
    ///   - words: the program, and its options.
    ///   - operands: what comes after them, as they are.
    ///   - package: the Debian package that has the program.
    package static func outcome(
        of words: [String], _ operands: [ByteString], package: String
    ) throws -> Outcome {
        guard let name = words.first, let program = find(name) else {
            throw BlockError.toolMissing(words.first ?? "", package: package)
        }
        var command = Command([program] + words.dropFirst().map { ByteString($0) } + operands)
        command.output = .errors
        let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: timeoutMilliseconds)
        let said = String(decoding: process.standardError.bytes, as: UTF8.self)
        let lines = said.split(whereSeparator: \.isNewline).map {
            $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }.filter { !$0.isEmpty }
        return Outcome(isSuccess: termination.isSuccess, ending: "\(termination)", lines: lines)
    }

    /// The same of a program that must succeed.
    package static func run(_ words: [String], _ operands: [ByteString], package: String) throws {
        let outcome = try outcome(of: words, operands, package: package)
        guard outcome.isSuccess else {
            throw BlockError.toolFailed(
                words + operands.map(\.description), ending: outcome.ending, said: outcome.said)
        }
    }
}
