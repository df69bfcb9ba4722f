import Bytes
import CPlatform

/// A hash table from keys to value locations. The keys are adjacent in one byte array: an entry takes about 50 bytes and its
/// key, without a separate allocation.
///
/// Open addressing with linear probing; a removal shifts the following entries back. Not thread safe.
struct KeyTable {
    private struct Entry {
        var location: ValueLocation
        var keyOffset: UInt32
        var keyCount: UInt32
    }

    /// The number of an entry and the hash of its key, so that a probe reads only the entry it finds; or empty.
    private struct Slot {
        private let bits: UInt64

        static let free = Slot(bits: 0)

        private init(bits: UInt64) { self.bits = bits }

        init(entry: Int, hash: UInt32) { bits = UInt64(hash) << 32 | UInt64(entry + 1) }

        var isFree: Bool { bits == 0 }
        var entry: Int { Int(truncatingIfNeeded: bits & 0xFFFF_FFFF) - 1 }
        var hash: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
    }

    /// Not empty. The count is a power of two.
    private var slots = KeyTable.noSlots
    /// An empty table, without allocated memory.
    private static let noSlots = [Slot.free]
    private var entries: [Entry] = []
    private var freeEntries: [UInt32] = []
    private var keyBytes: [UInt8] = []
    private var deadKeyBytes = 0
    private(set) var count = 0

    /// The location of the value of a key; nil if there is none. `hash` is the hash of the key.
    func location(of key: UnsafeRawBufferPointer, hash: UInt32) -> ValueLocation? {
        let slot = slots[slot(of: key, hash)]
        return slot.isFree ? nil : entries[slot.entry].location
    }

    mutating func set(_ key: UnsafeRawBufferPointer, hash: UInt32, _ location: ValueLocation) {
        var slot = slot(of: key, hash)
        if !slots[slot].isFree {
            entries[slots[slot].entry].location = location
            return
        }
        makeRoomForKey(key.count)
        // At most two thirds full, so that probes stay short.
        if 3 * (count + 1) > 2 * slots.count {
            grow()
            slot = self.slot(of: key, hash)
        }
        let entry = Entry(location: location, keyOffset: UInt32(keyBytes.count), keyCount: UInt32(key.count))
        keyBytes.append(contentsOf: key)
        count += 1
        if let free = freeEntries.popLast() {
            entries[Int(free)] = entry
            slots[slot] = Slot(entry: Int(free), hash: hash)
        } else {
            if entries.count == entries.capacity { entries.reserveCapacity(Self.grown(entries.count, by: 1)) }
            slots[slot] = Slot(entry: entries.count, hash: hash)
            entries.append(entry)
        }
    }

    /// Applies queued puts, in order.
    mutating func set(_ waiting: borrowing QueuedPuts) {
        slots.withUnsafeBufferPointer { slots in
            for put in waiting.puts { faultline_prefetch(slots.baseAddress! + (Int(put.hash) & (slots.count - 1))) }
        }
        waiting.keys.withUnsafeBytes { keys in
            var start = 0
            for put in waiting.puts {
                let key = UnsafeRawBufferPointer(rebasing: keys[start..<start + put.keyCount])
                set(key, hash: put.hash, put.location)
                start += put.keyCount
            }
        }
    }

    /// Grows by half instead of doubling, to keep the guaranteed memory limit of an open store.
    private static func grown(_ count: Int, by more: Int) -> Int { max(count + more, count + count / 2, 4) }

    mutating func remove(_ key: UnsafeRawBufferPointer, hash: UInt32) {
        var hole = slot(of: key, hash)
        guard !slots[hole].isFree else { return }
        let removed = slots[hole].entry
        deadKeyBytes += Int(entries[removed].keyCount)
        freeEntries.append(UInt32(removed))
        count -= 1
        // Entries displaced past the hole move into it, so that no probe ends early.
        let mask = slots.count - 1
        var next = (hole + 1) & mask
        while !slots[next].isFree {
            let home = Int(slots[next].hash) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = .free
    }

    /// The allocated memory in bytes.
    var allocatedBytes: Int {
        MemoryLayout<Slot>.stride * slots.capacity + MemoryLayout<Entry>.stride * entries.capacity
            + 4 * freeEntries.capacity + keyBytes.capacity
    }

    /// All keys, in no particular order.
    var keys: [ByteString] {
        var keys: [ByteString] = []
        keys.reserveCapacity(count)
        for slot in slots where !slot.isFree {
            let entry = entries[slot.entry]
            keys.append(ByteString(keyBytes[Int(entry.keyOffset)..<Int(entry.keyOffset + entry.keyCount)]))
        }
        return keys
    }

    /// The slot of the key, or the free slot for it.
    @inline(__always)
    private func slot(of key: UnsafeRawBufferPointer, _ hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while !slots[slot].isFree {
            if slots[slot].hash == hash, isEqual(key, entries[slots[slot].entry]) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    @inline(__always)
    private func isEqual(_ key: UnsafeRawBufferPointer, _ entry: Entry) -> Bool {
        keyBytes.withUnsafeBytes { bytes in
            let start = Int(entry.keyOffset)
            let own = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(entry.keyCount)])
            return own.isSame(as: key)
        }
    }

    private mutating func grow() {
        var larger = [Slot](repeating: .free, count: max(8, 2 * slots.count))
        let mask = larger.count - 1
        for slot in slots where !slot.isFree {
            var place = Int(slot.hash) & mask
            while !larger[place].isFree { place = (place + 1) & mask }
            larger[place] = slot
        }
        slots = larger
    }

    /// Compacts the key bytes if removed keys are the larger part.
    private mutating func makeRoomForKey(_ keyCount: Int) {
        guard deadKeyBytes > keyBytes.count / 2, deadKeyBytes > 4096 else {
            if keyBytes.count + keyCount > keyBytes.capacity {
                keyBytes.reserveCapacity(Self.grown(keyBytes.count, by: keyCount))
            }
            return
        }
        var packed: [UInt8] = []
        packed.reserveCapacity(keyBytes.count - deadKeyBytes + keyCount)
        for slot in slots where !slot.isFree {
            let entry = entries[slot.entry]
            entries[slot.entry].keyOffset = UInt32(packed.count)
            packed += keyBytes[Int(entry.keyOffset)..<Int(entry.keyOffset + entry.keyCount)]
        }
        keyBytes = packed
        deadKeyBytes = 0
    }
}
