import Bytes
import FaultFS
import Foundation
import Glibc
import Machine
import Storage

/// A filesystem that `faultline bench mount` measures: it shows a backing directory at a mount point.
package enum MeasuredFilesystem: Hashable, Sendable {
    /// No mount: the backing directory itself.
    case bare
    /// A program that mounts, in the foreground or as a daemon. No shell sees its arguments. `{backing}` and `{mount}`
    /// are replaced by the two directories.
    case program(name: String, words: [String])
    case faultline(records: Bool)

    /// Parses `NAME=COMMAND`. COMMAND is split at blanks. Nil if `text` has another form.
    package init?(peer text: String) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
        let words = text[text.index(after: equals)...].split(separator: " ").map(String.init)
        guard words.contains(where: { $0.contains("{backing}") }), words.contains(where: { $0.contains("{mount}") })
        else { return nil }
        self = .program(name: String(text[..<equals]), words: words)
    }

    /// bindfs, if it is installed.
    package static var bindfs: MeasuredFilesystem? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let path: String? = folders.map { "\($0)/bindfs" }.first { path in access(path, X_OK) == 0 }
        return path.map { .program(name: "bindfs", words: [$0, "{backing}", "{mount}"]) }
    }

    package var name: String {
        switch self {
        case .bare: "the bare directory"
        case .program(let name, _): name
        case .faultline(let records): records ? "faultline, recording" : "faultline, not recording"
        }
    }

    /// Runs `body` in a directory of this filesystem over `backing`, which is an empty directory in `scratch`. It is
    /// unmounted when this returns or throws.
    package func mounted<Result>(in scratch: ByteString, _ body: (ByteString) throws -> Result) throws -> Result {
        let (backing, mountPoint) = (scratch.appending(component: "b"), scratch.appending(component: "m"))
        for directory in [backing, mountPoint] { try RunFiles.makeDirectory(directory) }
        let result: Result
        switch self {
        case .bare: result = try body(backing)
        case .program(let name, let words): result = try running(name, words, backing, mountPoint, body)
        case .faultline(let records):
            let trace = scratch.appending(component: "trace")
            let recording = records ? ["--record", "\(trace)"] : ["--no-record"]
            result = try Self.serving(recording, backing, mountPoint) { try body(mountPoint) }
            if records { _ = trace.withCString { unlink($0) } }
        }
        for directory in [backing, mountPoint] { try TreeRemoval.remove(directory) }
        return result
    }

    /// Runs `body` while this program serves `backing` at `mountPoint` in another process.
    static func serving<Result>(
        _ options: [String], _ backing: ByteString, _ mountPoint: ByteString, _ body: () throws -> Result
    ) throws -> Result {
        let directory = try ServiceDirectory()
        try MountLauncher.start(
            ["mount", "--service-directory", "\(directory.path)"] + options + ["--", "\(backing)", "\(mountPoint)"],
            directory)
        let result: Result
        do { result = try body() } catch {
            _ = try? MountEnding.end(mountPoint, timeLimitSeconds: 10)
            throw error
        }
        _ = try MountEnding.end(mountPoint, timeLimitSeconds: 10)
        return result
    }

    private func running<Result>(
        _ name: String, _ words: [String], _ backing: ByteString, _ mountPoint: ByteString,
        _ body: (ByteString) throws -> Result
    ) throws -> Result {
        let process = Process()
        let filled = words.map {
            $0.replacingOccurrences(of: "{backing}", with: "\(backing)")
                .replacingOccurrences(of: "{mount}", with: "\(mountPoint)")
        }
        process.executableURL = URL(filePath: filled[0])
        process.arguments = Array(filled.dropFirst())
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            if Self.isMounted(mountPoint) { try? MountTable.detach(mountPoint) }
            // A program in the foreground ends when it is unmounted.
            for _ in 0..<200 where process.isRunning { usleep(10_000) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }
        for _ in 0..<1000 where !Self.isMounted(mountPoint) {
            usleep(10_000)
            if !process.isRunning, process.terminationStatus != 0 { break }
        }
        guard Self.isMounted(mountPoint) else {
            throw YardstickError(description: "\(name): this command mounted nothing: \(filled.joined(separator: " "))")
        }
        return try body(mountPoint)
    }

    private static func isMounted(_ mountPoint: ByteString) -> Bool {
        ((try? MountTable.read()) ?? []).contains { $0.mountPoint == mountPoint }
    }
}
