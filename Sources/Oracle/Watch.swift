import Bytes

/// What the streaming memory keeps of one key's history: what concerns the value that was observed.
///
/// A workload overwrites its keys all the time, nearly always with something that differs from the observed value in
/// its first and last bytes. Those are kept beside the `Recall`, so that the value itself is seldom touched.
struct Watch: Sendable {
    let value: [UInt8]
    private(set) var recall = Recall()
    private let count: Int
    /// The first and the last eight bytes, little-endian; without meaning in a shorter value.
    private let first: UInt64
    private let last: UInt64

    init(_ value: [UInt8]) {
        self.value = value
        count = value.count
        (first, last) = Self.ends(of: value)
    }

    /// The next operation on the key, in begin order, asks for `payload`.
    @inline(__always)
    mutating func note(_ payload: [UInt8]?, at line: Int) {
        if let payload, payload.count >= 8, count >= 8 {
            let (first, last) = Self.ends(of: payload)
            if first != self.first && (last != self.last || payload.count != count) {
                recall.noteOther(
                    sharedStart: (first ^ self.first).trailingZeroBitCount / 8,
                    sharedEnd: payload.count == count ? (last ^ self.last).leadingZeroBitCount / 8 : 0)
                return
            }
        }
        noteWhole(payload, at: line)
    }

    @inline(never)
    private mutating func noteWhole(_ payload: [UInt8]?, at line: Int) {
        recall.note(payload, at: line, for: value)
    }

    @inline(__always)
    private static func ends(of bytes: [UInt8]) -> (first: UInt64, last: UInt64) {
        guard bytes.count >= 8 else { return (0, 0) }
        return bytes.withUnsafeBytes { bytes in
            (
                UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
            )
        }
    }
}
