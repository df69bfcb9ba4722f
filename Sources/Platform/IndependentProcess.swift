import Bytes
import CPlatform
import Glibc

/// A program that outlives this process, in its own session and with default signal handling. `ChildProcess` (Targets)
/// is for programs that end with this process, together with their descendants.
package struct IndependentProcess: ~Copyable {
    package let processID: Int32
    private let descriptor: Descriptor

    /// The descriptors that become 0, 1, 2 and 3 of the process. All others are closed in it.
    package struct Streams {
        package var input: Int32
        package var output: Int32
        package var errors: Int32
        package var third: Int32

        package init(input: Int32, output: Int32, errors: Int32, third: Int32 = -1) {
            (self.input, self.output, self.errors, self.third) = (input, output, errors, third)
        }
    }

    /// Returns after execve(2) has succeeded.
    ///
    /// - Parameters:
    ///   - executable: its path. `find` looks for a name in PATH.
    ///   - environment: the complete environment, as `NAME=value`.
    ///   - directory: its working directory; nil for ours.
    /// - Throws: the error of the spawn or of execve(2).
    package init(
        _ executable: ByteString, arguments: [ByteString], environment: [ByteString], directory: ByteString? = nil,
        _ streams: Streams
    ) throws(Errno) {
        let (arguments, environment) = (CStringArray(arguments), CStringArray(environment))
        let result = executable.withCString { path in
            arguments.withPointers { arguments in
                environment.withPointers { environment in
                    var request = faultline_spawn_request()
                    request.executable = path
                    request.arguments = arguments
                    request.environment = environment
                    request.streams = (streams.input, streams.output, streams.errors, streams.third)
                    request.outlives = 1
                    guard let directory else { return faultline_spawn(&request) }
                    return directory.withCString { directory in
                        request.directory = directory
                        return faultline_spawn(&request)
                    }
                }
            }
        }
        guard result.stage == FAULTLINE_SPAWN_OK else { throw Errno(result.error) }
        processID = result.pid
        descriptor = Descriptor(adopting: result.pidfd)
    }

    /// Waits for its end. Returns its exit code, or 128 plus the signal number.
    package borrowing func wait() throws(Errno) -> Int32 {
        while true {
            _ = try Deadline.never.waitReadable([descriptor.rawValue])
            let exit = faultline_reap(descriptor.rawValue)
            if exit.reaped < 0 { throw Errno(exit.error) }
            if exit.reaped == 1 { return exit.signalled == 1 ? 128 + exit.code : exit.code }
        }
    }

    /// The path of a program: `program` itself if it contains a slash, else the first executable of that name in
    /// `path`.
    ///
    /// - Parameter path: a colon-separated list of directories.
    package static func find(_ program: ByteString, in path: ByteString) -> ByteString? {
        if program.bytes.contains(UInt8(ascii: "/")) { return program }
        return path.bytes.split(separator: UInt8(ascii: ":")).lazy
            .map { (folder: ArraySlice<UInt8>) in ByteString(Array(folder) + Array("/".utf8) + program.bytes) }
            .first { $0.withCString { access($0, X_OK) } == 0 }
    }
}
