import Bytes

/// The beginning and the end of a stream of any length: what a person needs of a standard error.
struct BoundedCapture: Sendable {
    static let keptBytes = 4096

    private var first: [UInt8] = []
    /// A ring of the last bytes after `first` was full.
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

    /// What was kept, with a line in between that says how much was not.
    var bytes: [UInt8] {
        let omitted = totalBytes - first.count - last.count
        let end = last[lastCursor...] + last[..<lastCursor]
        return omitted == 0 ? first + end : first + Array("\n[\(omitted.counted("byte")) omitted]\n".utf8) + end
    }
}
