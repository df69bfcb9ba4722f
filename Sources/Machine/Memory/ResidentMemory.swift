import CPlatform
import Glibc
import Platform

/// The resident memory of this process: now, and for benchmarks its peak since a reset (one benchmark at a time).
package enum ResidentMemory {
    package struct Unreadable: Error, CustomStringConvertible {
        package var description: String
    }

    /// Resets the peak. Returns the resident size in bytes. Returns freed memory to the system first, because its reuse
    /// would not show in the peak. See proc(5), `clear_refs`, 5.
    package static func resetPeak() throws -> Int {
        faultline_trim_memory()
        let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw Unreadable(
                description: "/proc/self/clear_refs cannot be written: \(Errno(errno))")
        }
        _ = Glibc.write(file, "5", 1)
        close(file)
        return try bytes(of: "VmRSS")
    }

    /// The peak resident size since `resetPeak`, in bytes.
    package static func peakBytes() throws -> Int { try bytes(of: "VmHWM") }

    /// The resident size in bytes; nil without /proc. See proc(5), `statm`.
    package static var currentBytes: Int? {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { text in
            let count = read(file, text.baseAddress!, text.count)
            guard count > 0 else { return nil }
            let fields = text[..<count].split(separator: UInt8(ascii: " "))
            guard fields.count > 1 else { return nil }
            let pages = fields[1].reduce(0) { $0 * 10 + Int($1) - Int(UInt8(ascii: "0")) }
            return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
    }

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
