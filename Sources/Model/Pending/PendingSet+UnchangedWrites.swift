import Bytes

extension PendingSet {
    /// The bytes of those units that a write does not change. Such a unit adds no atom, so that zeroing a fresh segment
    /// costs nothing.
    ///
    /// Empty while an operation or barrier is in flight, and after a failed fsync: a rewrite of the failed data can be
    /// synced again. Data that cannot be read counts as changed.
    func unchangedBytes(of data: Payload, at offset: UInt64, in state: InodeState) -> RangeSet<UInt64> {
        var unchanged = RangeSet<UInt64>()
        guard let payloads, let content = state.content, inFlight.isEmpty, barriers.isEmpty, state.failedFsync.isEmpty,
            let new = try? payloads.bytes(of: data)
        else { return unchanged }
        let range = offset..<offset + data.countBytes
        var old = [UInt8](repeating: 0, count: new.count)
        for extent in content.slice(range) {
            guard let bytes = try? payloads.bytes(of: extent.data), bytes.count == Int(extent.data.countBytes) else {
                return unchanged
            }
            let start = Int(extent.offsetBytes - offset)
            old.replaceSubrange(start..<start + bytes.count, with: bytes)
        }
        for unit in range.cut(at: unitBytes) {
            let bytes = Int(unit.lowerBound - offset)..<Int(unit.upperBound - offset)
            if old[bytes] == new[bytes] { unchanged.insert(contentsOf: unit) }
        }
        return unchanged
    }
}
