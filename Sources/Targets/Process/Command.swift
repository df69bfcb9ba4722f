import Bytes
import Glibc
import Platform

/// A program to start: arguments as they are (no shell looks at them), the whole environment, the standard streams.
package struct Command: Sendable {
    /// The program, then its arguments. A program without `/` is looked for in PATH; one with `/` is relative to
    /// `directory`.
    package var arguments: [ByteString]
    /// All of the environment: nothing else is inherited.
    package var environment: [ByteString: ByteString]
    /// The working directory; nil for ours.
    package var directory: ByteString?
    package var input: InputSource = .null
    package var output: OutputSink = .null
    package var errors: ErrorSink = .captured
    /// What it is confined by; nil for nothing.
    package var sandbox: Sandbox?

    package enum InputSource: Sendable {
        case null
        /// The process's `input` writes to it.
        case pipe
    }

    package enum OutputSink: Sendable {
        case null
        /// The process's `output` reads from it. Whoever starts the process has to, or it blocks when the pipe is full.
        case pipe
        /// Where its standard error goes, in the order in which it says things.
        case errors
    }

    package enum ErrorSink: Sendable {
        case null
        /// Drained all the time, so that the process never blocks on it; the beginning and the end are kept.
        case captured
        /// Ours.
        case inherited
    }

    package init(_ arguments: [ByteString], environment: [ByteString: ByteString] = Command.plainEnvironment) {
        self.arguments = arguments
        self.environment = environment
    }

    /// What of our own environment a program needs to run at all. Nothing else reaches a target, so that a run does
    /// not depend on who started it.
    package static let plainEnvironment: [ByteString: ByteString] = {
        var environment: [ByteString: ByteString] = [:]
        for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"] {
            if let value = getenv(name) { environment[ByteString(name)] = ByteString(cString: value) }
        }
        if environment["PATH"] == nil { environment["PATH"] = "/usr/local/bin:/usr/bin:/bin" }
        environment["LC_ALL"] = "C.UTF-8"
        return environment
    }()

    /// The path that execve(2) gets.
    func executable() throws(TargetError) -> ByteString {
        guard let program = arguments.first, !program.isEmpty else { throw .commandEmpty }
        guard let path = IndependentProcess.find(program, in: environment["PATH"] ?? "") else {
            throw .commandNotFound(program)
        }
        return path
    }

    /// No argument, name or value holds a zero byte, and no name an `=`.
    func check() throws(TargetError) {
        for argument in arguments + [directory].compactMap({ $0 }) where argument.bytes.contains(0) {
            throw .notPassable(what: "an argument with a zero byte", argument)
        }
        for (name, value) in environment
        where name.isEmpty || name.bytes.contains(UInt8(ascii: "=")) || (name.bytes + value.bytes).contains(0) {
            throw .notPassable(what: "an environment variable", name)
        }
    }
}

extension ByteString {
    init(cString: UnsafePointer<CChar>) {
        self.init(UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
    }
}
