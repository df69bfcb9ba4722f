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
}
