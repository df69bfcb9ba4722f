import Bytes
import Foundation
import Testing

/// The program itself, as a user runs it.
struct Faultline {
    struct Answer {
        var status: Int32
        var output: String
        var error: String
    }

    /// It is built beside the tests.
    static let path: String? = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        guard count > 0 else { return nil }
        let folder = URL(filePath: String(decoding: buffer[..<count], as: UTF8.self)).deletingLastPathComponent()
        let path = folder.appending(path: "faultline").path()
        return access(path, X_OK) == 0 ? path : nil
    }()

    static func start(
        _ arguments: [String], directory: String? = nil, of program: String? = nil, environment: [String: String] = [:]
    ) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        process.executableURL = URL(filePath: try program ?? #require(Self.path))
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"].merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(filePath: directory) }
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        return (process, output, error)
    }

    /// Runs it, or another program, to its end. Neither output may be longer than a pipe holds.
    static func run(
        _ arguments: [String], directory: String? = nil, of program: String? = nil, environment: [String: String] = [:]
    ) throws -> Answer {
        let (process, output, error) = try start(
            arguments, directory: directory, of: program, environment: environment)
        process.waitUntilExit()
        return Answer(
            status: process.terminationStatus,
            output: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            error: String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }

    /// Runs it on a terminal of 100 columns that shows colours: everything that it writes there, as it is.
    static func runOnTerminal(
        _ arguments: [String], directory: String, environment: [String: String] = [:]
    ) throws -> (status: Int32, screen: String) {
        // Linux's own way: the calls of <stdlib.h> for it are not in Glibc's module.
        let (unlock, askNumber) = (UInt(0x4004_5431), UInt(0x8004_5430))
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (isLocked, number) = (Int32(0), UInt32(0))
        try #require(master >= 0)
        #expect(ioctl(master, unlock, &isLocked) == 0 && ioctl(master, askNumber, &number) == 0)
        defer { close(master) }
        let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(terminal >= 0)
        var settings = termios()
        #expect(tcgetattr(terminal, &settings) == 0)
        settings.c_oflag = 0
        #expect(tcsetattr(terminal, TCSANOW, &settings) == 0)
        var size = winsize(ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
        #expect(ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.path))
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "xterm"].merging(environment) { $1 }
        process.currentDirectoryURL = URL(filePath: directory)
        let handle = FileHandle(fileDescriptor: terminal, closeOnDealloc: false)
        (process.standardOutput, process.standardError) = (handle, handle)
        try process.run()
        close(terminal)
        var screen: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // EIO: nobody has it open any more.
            let count = read(master, &buffer, buffer.count)
            guard count > 0 else { break }
            screen += buffer[..<count]
        }
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: screen, as: UTF8.self))
    }
}

extension Faultline {
    /// Runs it to its end; answers also the most memory that was resident in its process (proc(5), `VmHWM`). What
    /// wait4(2) says would not do: a process begins with the peak of the one that spawned it.
    static func measured(_ arguments: [String], directory: String) throws -> (answer: Answer, peakBytes: Int) {
        let (process, output, error) = try start(arguments, directory: directory)
        var peakKilobytes = 0
        while process.isRunning {
            let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
            let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            let words = line?.split(whereSeparator: \.isWhitespace) ?? []
            peakKilobytes = max(peakKilobytes, words.count > 1 ? Int(words[1]) ?? 0 : 0)
            usleep(2000)
        }
        let answer = Answer(
            status: process.terminationStatus,
            output: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            error: String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
        return (answer, peakKilobytes * 1024)
    }
}
