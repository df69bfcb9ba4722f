import Glibc
import Platform

/// The buffer of appended records that are not yet written: a ring of bytes, addressed by position in the log, and a ring of
/// slots, addressed by LSN, that mark published records.
///
/// Slot `lsn % slotCount` holds the end position of the last record published there. A record is published exactly when its
/// slot is larger than its start position, because the previous record in the slot ended no later. Slots are never cleared.
///
/// Threads: each record is encoded and published by the thread that reserved its space. The log reuses space only after the
/// record was written out. A published record may be read by any thread.
final class RecordRing<C: Coordination>: @unchecked Sendable {
    let capacityBytes: Int
    /// The most records in the ring.
    let slotCount: Int
    private let base: UnsafeMutableRawPointer
    private let slots: C.Words

    /// - Parameter capacityBytes: a power of two.
    init(capacityBytes: Int) {
        self.capacityBytes = capacityBytes
        slotCount = max(64, capacityBytes / 64)
        base = .allocate(byteCount: capacityBytes, alignment: 4096)
        slots = C.Words(count: slotCount, name: "ring")
    }

    deinit { base.deallocate() }

    /// Encodes a record at its position and publishes it.
    @inline(__always)
    func encode(
        _ type: RecordType, _ spot: Spot, unsyncedCount: UInt16, key: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, sizeBytes: Int
    ) {
        let position = spot.position
        let start = offset(position)
        if start + sizeBytes <= capacityBytes {
            let target = UnsafeMutableRawBufferPointer(start: base + start, count: sizeBytes)
            Frame.encode(
                type, lsn: spot.lsn, unsyncedCount: unsyncedCount, at: spot.offsetBytes, key: key, payload: payload,
                into: target)
        } else {
            withUnsafeTemporaryAllocation(byteCount: sizeBytes, alignment: 8) { frame in
                Frame.encode(
                    type, lsn: spot.lsn, unsyncedCount: unsyncedCount, at: spot.offsetBytes, key: key, payload: payload,
                    into: frame)
                copy(UnsafeRawBufferPointer(frame), to: position)
            }
        }
        publish(spot.lsn, endPosition: position + UInt64(sizeBytes))
    }

    /// Copies encoded records to `position`, with wraparound. They must fit into the ring.
    func copy(_ bytes: UnsafeRawBufferPointer, to position: UInt64) {
        let start = offset(position)
        let first = min(bytes.count, capacityBytes - start)
        memcpy(base + start, bytes.baseAddress!, first)
        if first < bytes.count { memcpy(base, bytes.baseAddress! + first, bytes.count - first) }
    }

    /// Publishes the record.
    @inline(__always)
    func publish(_ lsn: UInt64, endPosition: UInt64) { slots.store(endPosition, at: slot(lsn)) }

    /// The end of the published records that follow `lsn`, which ends at `position`, without a gap.
    func publishedEnd(after lsn: UInt64, at position: UInt64) -> (lsn: UInt64, position: UInt64) {
        var end = (lsn: lsn, position: position)
        while true {
            let published = slots.load(slot(end.lsn + 1))
            if published <= end.position { return end }
            end = (end.lsn + 1, published)
        }
    }

    /// The bytes from `position` on, in at most two pieces.
    func pieces(_ position: UInt64, _ count: Int) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        let start = offset(position)
        let first = min(count, capacityBytes - start)
        return (
            UnsafeRawBufferPointer(start: base + start, count: first),
            UnsafeRawBufferPointer(start: base, count: count - first)
        )
    }

    @inline(__always)
    private func offset(_ position: UInt64) -> Int { Int(position & UInt64(capacityBytes - 1)) }

    @inline(__always)
    private func slot(_ lsn: UInt64) -> Int { Int(lsn & UInt64(slotCount - 1)) }
}
