import Bytes

/// Keeps the first and the last `keptBytes` of a stream of any length: the standard error of a child process.
struct BoundedCapture: Sendable {
    static let keptBytes = 4096

    private var first: [UInt8] = []
    /// A ring buffer of the most recent bytes that did not fit in `first`.
    private var last: [UInt8] = []
    private var lastCursor = 0
    private(set) var totalBytes = 0

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        totalBytes += bytes.count
        var rest = bytes[...]
        let room = BoundedCapture.keptBytes - first.count
        if room > 0 {
            first.append(contentsOf: rest.prefix(room))
            rest = rest.dropFirst(room)
        }
        // Only the last `keptBytes` can survive in the ring.
        for byte in rest.suffix(BoundedCapture.keptBytes) {
            if last.count < BoundedCapture.keptBytes {
                last.append(byte)
            } else {
                last[lastCursor] = byte
                lastCursor = (lastCursor + 1) % BoundedCapture.keptBytes
            }
        }
    }

    /// The kept bytes, with a line that counts the omitted ones.
    var bytes: [UInt8] {
        let omitted = totalBytes - first.count - last.count
        let end = last[lastCursor...] + last[..<lastCursor]
        return omitted == 0 ? first + end : first + Array("\n[\(omitted.counted("byte")) omitted]\n".utf8) + end
    }
}
