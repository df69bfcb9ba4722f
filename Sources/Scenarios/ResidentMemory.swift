import Glibc

/// The memory of this process, for benchmarks: how much was resident at most since a moment. One at a time.
package enum ResidentMemory {
    package struct Unreadable: Error, CustomStringConvertible {
        package var description: String
    }

    /// Forgets the peak so far; answers what is resident now, in bytes. See proc(5), `clear_refs`, 5.
    package static func resetPeak() throws -> Int {
        let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw Unreadable(
                description: "/proc/self/clear_refs cannot be written: \(String(cString: strerror(errno)))")
        }
        _ = Glibc.write(file, "5", 1)
        close(file)
        return try bytes(of: "VmRSS")
    }

    /// What was resident at most since `resetPeak`, in bytes.
    package static func peakBytes() throws -> Int { try bytes(of: "VmHWM") }

    private static func bytes(of field: String) throws -> Int {
        let status = String(decoding: try RunFiles.read("/proc/self/status"), as: UTF8.self)
        for line in status.split(separator: "\n") where line.hasPrefix(field + ":") {
            if let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) {
                return kilobytes * 1024
            }
        }
        throw Unreadable(description: "/proc/self/status has no \(field)")
    }
}
