import Bytes
import Glibc
import Platform

/// A program to start: its arguments (no shell is involved), its whole environment, its standard streams.
package struct Command: Sendable {
    /// The program, then its arguments. A program without `/` is searched in PATH; one with `/` is relative to
    /// `directory`.
    package var arguments: [ByteString]
    /// The whole environment: nothing is inherited.
    package var environment: [ByteString: ByteString]
    /// The working directory; nil for that of this process.
    package var directory: ByteString?
    package var input: InputSource = .null
    package var output: OutputSink = .null
    package var errors: ErrorSink = .captured
    /// The sandbox; nil for none.
    package var sandbox: Sandbox?
    /// The user to run as; nil for that of this process. The command may open files of others all the same
    /// (CAP_DAC_OVERRIDE), because the directories of a run belong to this process.
    package var user: String?

    package enum InputSource: Sendable {
        case null
        /// Written through the process's `input`.
        case pipe
    }

    package enum OutputSink: Sendable {
        case null
        /// Read through the process's `output`. The process blocks when nobody reads and the pipe is full.
        case pipe
        /// Where its standard error goes, in the order in which it says things.
        case errors
    }

    package enum ErrorSink: Sendable {
        case null
        /// Read continuously, so that the process never blocks; the first and last bytes are kept.
        case captured
        /// The standard error of this process.
        case inherited
    }

    package init(_ arguments: [ByteString], environment: [ByteString: ByteString] = Command.plainEnvironment) {
        self.arguments = arguments
        self.environment = environment
    }

    /// The minimal environment: the variables that programs need to run. Nothing else is passed to a target, so that a
    /// run does not depend on its user's environment.
    package static let plainEnvironment: [ByteString: ByteString] = {
        var environment: [ByteString: ByteString] = [:]
        for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"] {
            if let value = getenv(name) { environment[ByteString(name)] = ByteString(cString: value) }
        }
        if environment["PATH"] == nil { environment["PATH"] = "/usr/local/bin:/usr/bin:/bin" }
        environment["LC_ALL"] = "C.UTF-8"
        return environment
    }()

    /// The path for execve(2).
    func executable() throws(TargetError) -> ByteString {
        guard let program = arguments.first, !program.isEmpty else { throw .commandEmpty }
        guard let path = IndependentProcess.find(program, in: environment["PATH"] ?? "") else {
            throw .commandNotFound(program)
        }
        return path
    }

    /// Throws for zero bytes, and for `=` in a variable's name.
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
