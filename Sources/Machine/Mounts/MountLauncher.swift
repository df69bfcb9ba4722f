import Bytes
import CPlatform
import Glibc
import Platform
import Storage
import Targets

/// Starts a process in the background that serves a mount, and waits until the mount is ready.
///
/// It is this program again, in a session of its own, so that it outlives the terminal; its standard output and error go
/// to the log of its directory, and the pipe at its descriptor 3 is how it says that it is ready, or why it is not.
package enum MountLauncher {
    /// Where the process finds the pipe.
    package static let reportDescriptor: Int32 = 3
    private static let readyWord = "ready\n"

    /// Runs this program with `arguments`. Returns the process's id once the mount is ready.
    ///
    /// - Throws: what the process said when it could not mount. Nothing is left of it then.
    @discardableResult
    package static func start(_ arguments: [String], _ directory: ServiceDirectory) throws -> Int32 {
        // Until the other process has put its name on the directory, it is this one's.
        try withExtendedLifetime(directory) { try start(arguments, in: directory) }
    }

    private static func start(_ arguments: [String], in directory: ServiceDirectory) throws -> Int32 {
        let pipe = try MountServiceError.naming("pipe2", directory.path) { () throws(Errno) in
            try SharedDescriptor.pipe()
        }
        let process = try spawn(arguments, directory, report: pipe.write.rawValue)
        // The pipe ends only when every copy of its other end is closed.
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

    /// Tells who waits that the mount is ready (nil), or why it is not.
    package static func report(_ problem: String?, to descriptor: Int32) {
        // Nobody may be waiting any more; that changes nothing for the mount.
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
            // It belongs to nobody, so that no Faultline takes it for what a target left behind.
            try IndependentProcess(
                program, arguments: ["faultline"] + arguments.map { ByteString($0) },
                environment: inheritedEnvironment() + [SpawnMark.nobody], directory: "/", streams)
        }
    }

    /// Our environment without what says who started us.
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
