import Glibc

/// The kernel's log since a moment, from /dev/kmsg (Documentation/ABI/testing/dev-kmsg). One thread at a time.
///
/// It is only shown, never decided by. Where it cannot be read, it is empty.
final class KernelLog {
    private let descriptor: Int32

    /// From now on.
    init() {
        descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if descriptor >= 0 { lseek(descriptor, 0, SEEK_END) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Warnings and errors that name the device, such as `loop0`, since the last call.
    func complaints(about device: String) -> [String] {
        guard descriptor >= 0 else { return [] }
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            // Older records were overwritten, or a signal came.
            if count < 0, errno == EPIPE || errno == EINTR { continue }
            guard count > 0 else { return lines }
            let record = String(decoding: buffer[..<count], as: UTF8.self)
            if let line = Self.complaint(in: record, about: device) { lines.append(line) }
        }
    }

    /// The text of a record, if it is a warning or worse about the device; nil otherwise.
    static func complaint(in record: String, about device: String) -> String? {
        guard let semicolon = record.firstIndex(of: ";"),
            let priority = Int(record.prefix { $0 != "," }), priority & 7 <= warning
        else { return nil }
        let text = String(record[record.index(after: semicolon)...].prefix { !$0.isNewline })
        let named = text.ranges(of: device).contains { range in
            range.upperBound == text.endIndex || !text[range.upperBound].isNumber
        }
        return named ? text : nil
    }

    /// KERN_WARNING. The facility is in the higher bits.
    private static let warning = 4
}
