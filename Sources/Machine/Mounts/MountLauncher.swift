import Bytes
import CPlatform
import Glibc
import Platform
import Storage
import Targets

/// Starts a background process that serves a mount, and waits until the mount is ready.
///
/// The process runs this program in its own session, so that it outlives the terminal. Its standard output and error go
/// to the log in its directory. It reports readiness or an error through the pipe at descriptor 3.
package enum MountLauncher {
    /// The descriptor of the report pipe in the process.
    package static let reportDescriptor: Int32 = 3
    private static let readyWord = "ready\n"

    /// Runs this program with `arguments`. Returns the process's id once the mount is ready.
    ///
    /// - Throws: the process's error if it could not mount. Nothing is left behind then.
    @discardableResult
    package static func start(_ arguments: [String], _ directory: ServiceDirectory) throws -> Int32 {
        // This process owns the directory until the server has taken it over.
        try withExtendedLifetime(directory) { try start(arguments, in: directory) }
    }

    private static func start(_ arguments: [String], in directory: ServiceDirectory) throws -> Int32 {
        let pipe = try MountServiceError.naming("pipe2", directory.path) { () throws(Errno) in
            try SharedDescriptor.pipe()
        }
        let process = try spawn(arguments, directory, report: pipe.write.rawValue)
        // End of file needs every copy of the write end closed.
        pipe.write.close()
        let report = try readAll(pipe.read.rawValue)
        if report == readyWord { return process.processID }
        _ = try? process.wait()
        let log = (try? RunFiles.read(directory.log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        try directory.remove()
        let words = [report, log].map { $0.trimmingNewlines }.filter { !$0.isEmpty }
        throw MountServiceError.notReady(
            words.isEmpty
                ? "the process that should serve the mount ended without a word" : words.joined(separator: "\n"))
    }

    /// Tells the waiting process that the mount is ready (nil), or the error.
    package static func report(_ problem: String?, to descriptor: Int32) {
        // The launcher may be gone; the mount does not depend on it.
        try? SharedDescriptor(adopting: descriptor).writeAll(Array((problem ?? readyWord).utf8))
    }

    private static func spawn(
        _ arguments: [String], _ directory: ServiceDirectory, report: Int32
    ) throws -> IndependentProcess {
        let null = try MountServiceError.naming("open", "/dev/null") { () throws(Errno) in
            try SharedDescriptor.open("/dev/null", O_RDONLY)
        }
        let log = Descriptor(adopting: try OutputDescriptor.append(directory.log).descriptor)
        let streams = IndependentProcess.Streams(
            input: null.rawValue, output: log.rawValue, errors: log.rawValue, third: report)
        let program: ByteString = "/proc/self/exe"
        return try MountServiceError.naming("execve", program) { () throws(Errno) in
            // Marked as nobody's, so that no cleanup takes it for a target's leftover.
            try IndependentProcess(
                program, arguments: ["faultline"] + arguments.map { ByteString($0) },
                environment: inheritedEnvironment() + [SpawnMark.nobody], directory: "/", streams)
        }
    }

    /// This process's environment without the spawn mark.
    private static func inheritedEnvironment() -> [ByteString] {
        let name = SpawnMark.nobody.bytes.prefix { $0 != UInt8(ascii: "=") } + [UInt8(ascii: "=")]
        var lines: [ByteString] = []
        var place = environ
        while let line = place.pointee {
            let text = ByteString(UnsafeRawBufferPointer(start: line, count: strlen(line)))
            if !text.bytes.starts(with: name) { lines.append(text) }
            place += 1
        }
        return lines
    }

    private static func readAll(_ descriptor: Int32) throws -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = self[...]
        while text.last == "\n" { text.removeLast() }
        return String(text)
    }
}
