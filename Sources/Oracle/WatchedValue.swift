import Bytes

/// In streaming mode: the observed value of a key, and its history.
///
/// Most payloads of a workload differ from the observed value in the first and last bytes. These are stored separately,
/// so that the value itself is rarely accessed.
struct WatchedValue: Sendable {
    let value: [UInt8]
    private(set) var history = ValueHistory()
    private let count: Int
    /// The first and last eight bytes, little-endian; unused for a shorter value.
    private let first: UInt64
    private let last: UInt64

    init(_ value: [UInt8]) {
        self.value = value
        count = value.count
        (first, last) = Self.ends(of: value)
    }

    /// Adds the key's next operation, in begin order.
    @inline(__always)
    mutating func note(_ payload: [UInt8]?, at line: Int) {
        if let payload, payload.count >= 8, count >= 8 {
            let (first, last) = Self.ends(of: payload)
            if first != self.first && (last != self.last || payload.count != count) {
                history.noteOther(
                    sharedStart: (first ^ self.first).trailingZeroBitCount / 8,
                    sharedEnd: payload.count == count ? (last ^ self.last).leadingZeroBitCount / 8 : 0)
                return
            }
        }
        noteWhole(payload, at: line)
    }

    @inline(never)
    private mutating func noteWhole(_ payload: [UInt8]?, at line: Int) {
        history.note(payload, at: line, for: value)
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
