import Bytes

/// A hash table from keys to value locations that keeps its keys side by side in one run of bytes: about 50 bytes and the
/// key itself for each entry, and no allocation of its own for any of them.
///
/// Open addressing with linear probing; a removal shifts back what follows it. Not safe for several threads.
struct KeyTable {
    private struct Entry {
        var location: ValueLocation
        var keyOffset: UInt32
        var keyCount: UInt32
        var hash: UInt32
    }

    /// For each slot the number of its entry plus one, or zero.
    private var slots = [UInt32](repeating: 0, count: 8)
    private var entries: [Entry] = []
    private var freeEntries: [UInt32] = []
    private var keyBytes: [UInt8] = []
    private var deadKeyBytes = 0
    private(set) var count = 0

    /// Where the value of a key lies; nil when there is none. `hash` is the key's, by the same function for every call.
    func location(of key: UnsafeRawBufferPointer, hash: UInt32) -> ValueLocation? {
        let slot = slot(of: key, hash)
        return slots[slot] == 0 ? nil : entries[Int(slots[slot]) - 1].location
    }

    mutating func set(_ key: UnsafeRawBufferPointer, hash: UInt32, _ location: ValueLocation) {
        let slot = slot(of: key, hash)
        if slots[slot] != 0 {
            entries[Int(slots[slot]) - 1].location = location
            return
        }
        makeRoomForKey(key.count)
        let entry = Entry(
            location: location, keyOffset: UInt32(keyBytes.count), keyCount: UInt32(key.count), hash: hash)
        keyBytes.append(contentsOf: key)
        count += 1
        if let free = freeEntries.popLast() {
            entries[Int(free)] = entry
            slots[slot] = free + 1
        } else {
            entries.append(entry)
            slots[slot] = UInt32(entries.count)
        }
        // At most half full: probes stay short.
        if 2 * count > slots.count { grow() }
    }

    mutating func remove(_ key: UnsafeRawBufferPointer, hash: UInt32) {
        var hole = slot(of: key, hash)
        guard slots[hole] != 0 else { return }
        let removed = slots[hole] - 1
        deadKeyBytes += Int(entries[Int(removed)].keyCount)
        freeEntries.append(removed)
        count -= 1
        // Whatever was displaced over the hole moves into it, so that no probe ends early.
        let mask = slots.count - 1
        var next = (hole + 1) & mask
        while slots[next] != 0 {
            let home = Int(entries[Int(slots[next]) - 1].hash) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = 0
    }

    /// What the table has taken from the allocator.
    var allocatedBytes: Int {
        4 * (slots.capacity + freeEntries.capacity) + MemoryLayout<Entry>.stride * entries.capacity + keyBytes.capacity
    }

    /// Every key, in no particular order.
    var keys: [ByteString] {
        slots.lazy.filter { $0 != 0 }.map { slot in
            let entry = entries[Int(slot) - 1]
            return ByteString(keyBytes[Int(entry.keyOffset)..<Int(entry.keyOffset + entry.keyCount)])
        }
    }

    /// The slot that holds the key, or the free one where it belongs.
    @inline(__always)
    private func slot(of key: UnsafeRawBufferPointer, _ hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let entry = entries[Int(slots[slot]) - 1]
            if entry.hash == hash, Int(entry.keyCount) == key.count, isEqual(key, entry) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    @inline(__always)
    private func isEqual(_ key: UnsafeRawBufferPointer, _ entry: Entry) -> Bool {
        keyBytes.withUnsafeBytes { bytes in
            let own = UnsafeRawBufferPointer(rebasing: bytes[Int(entry.keyOffset)..<Int(entry.keyOffset) + key.count])
            return own.elementsEqual(key)
        }
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: 2 * slots.count)
        let mask = slots.count - 1
        let free = Set(freeEntries)
        for (number, entry) in entries.enumerated() where !free.contains(UInt32(number)) {
            var slot = Int(entry.hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number) + 1
        }
    }

    /// Drops the bytes of removed keys once they are the greater part.
    private mutating func makeRoomForKey(_ keyCount: Int) {
        guard deadKeyBytes > keyBytes.count / 2, deadKeyBytes > 4096 else { return }
        var packed: [UInt8] = []
        packed.reserveCapacity(keyBytes.count - deadKeyBytes + keyCount)
        for slot in slots where slot != 0 {
            let entry = entries[Int(slot) - 1]
            entries[Int(slot) - 1].keyOffset = UInt32(packed.count)
            packed += keyBytes[Int(entry.keyOffset)..<Int(entry.keyOffset + entry.keyCount)]
        }
        keyBytes = packed
        deadKeyBytes = 0
    }
}
