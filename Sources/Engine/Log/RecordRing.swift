import Glibc

/// The memory in which appended records wait to be written: a ring, addressed by the position of a byte in the log.
///
/// It orders nothing: the log sees to it that no two threads touch the same bytes.
final class RecordRing: @unchecked Sendable {
    let capacityBytes: Int
    private let base: UnsafeMutableRawPointer
    private let mask: UInt64

    /// `capacityBytes` is a power of two.
    init(capacityBytes: Int) {
        self.capacityBytes = capacityBytes
        mask = UInt64(capacityBytes - 1)
        base = .allocate(byteCount: capacityBytes, alignment: 4096)
    }

    deinit { base.deallocate() }

    /// The memory of `count` bytes from `position` on, if they lie side by side; nil when they go around the end.
    @inline(__always)
    func contiguous(_ position: UInt64, _ count: Int) -> UnsafeMutableRawBufferPointer? {
        let start = Int(position & mask)
        guard start + count <= capacityBytes else { return nil }
        return UnsafeMutableRawBufferPointer(start: base + start, count: count)
    }

    /// Copies bytes to `position`, around the end where needed. They fit the ring.
    func copy(_ bytes: UnsafeRawBufferPointer, to position: UInt64) {
        let start = Int(position & mask)
        let first = min(bytes.count, capacityBytes - start)
        memcpy(base + start, bytes.baseAddress!, first)
        if first < bytes.count { memcpy(base, bytes.baseAddress! + first, bytes.count - first) }
    }

    /// The `count` bytes from `position` on, in at most two pieces.
    func pieces(_ position: UInt64, _ count: Int) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        let start = Int(position & mask)
        let first = min(count, capacityBytes - start)
        return (
            UnsafeRawBufferPointer(start: base + start, count: first),
            UnsafeRawBufferPointer(start: base, count: count - first)
        )
    }
}
