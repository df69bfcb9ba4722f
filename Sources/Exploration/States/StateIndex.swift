import CPlatform
import Model

/// A hash table from state hashes to small numbers. A slot has 24 bytes and at most five eighths of the slots are used, so
/// that ten million states take about 400 MB, with about two probes for a lookup.
///
/// Nearly every lookup is a cache miss. Therefore a slot usually lies in one cache line, and `prefetch` waits for many
/// lookups at once. The table is split by the first bits of the hash into shards with open addressing. Each shard grows
/// separately, so that the whole table is never copied; a shard is copied in the order of its slots.
///
/// Entries are never removed. Concurrent reads are safe while no thread writes.
package final class StateIndex: @unchecked Sendable {
    struct Slot {
        var hash: StateHash
        /// The number minus `Int32.min`. 0, as in fresh memory, means that the slot is empty.
        var mark: UInt32
    }

    private struct Shard {
        var slots: UnsafeMutablePointer<Slot>
        /// The binary logarithm of the number of slots.
        var bits: Int
        var count = 0
    }

    private static let shardBits = 8
    private static let firstBits = 6

    private var memory = SlotAllocator()
    private let shards: UnsafeMutableBufferPointer<Shard>
    package private(set) var count = 0

    /// Throws if the system has no memory.
    package init() throws(RecordingError) {
        shards = .allocate(capacity: 1 << StateIndex.shardBits)
        for index in shards.indices {
            let slots = try memory.take(bits: StateIndex.firstBits)
            shards.initializeElement(at: index, to: Shard(slots: slots, bits: StateIndex.firstBits))
        }
    }

    deinit { shards.deallocate() }

    /// The number of `hash`; nil if it is not in the table.
    package subscript(_ hash: StateHash) -> Int32? {
        let shard = shards[StateIndex.shard(of: hash)]
        let mark = shard.slots[StateIndex.slot(of: hash, in: shard)].mark
        return mark == 0 ? nil : StateIndex.number(of: mark)
    }

    /// Sets the number of `hash`, which must not be `Int32.min`. Throws if the system has no memory.
    package func set(_ hash: StateHash, _ number: Int32) throws(RecordingError) {
        guard let known = try insert(hash, number), known != number else { return }
        let shard = shards[StateIndex.shard(of: hash)]
        shard.slots[StateIndex.slot(of: hash, in: shard)].mark = StateIndex.mark(number)
    }

    /// Inserts `hash` with `number`. If it is already in the table, returns its number and changes nothing. Throws if the
    /// system has no memory.
    @inline(__always)
    package func insert(_ hash: StateHash, _ number: Int32) throws(RecordingError) -> Int32? {
        let index = StateIndex.shard(of: hash)
        let shard = shards[index]
        let slot = StateIndex.slot(of: hash, in: shard)
        let known = shard.slots[slot].mark
        guard known == 0 else { return StateIndex.number(of: known) }
        shard.slots[slot] = Slot(hash: hash, mark: StateIndex.mark(number))
        count += 1
        shards[index].count += 1
        if (shard.count + 1) * 8 > 5 << shard.bits { try grow(index) }
        return nil
    }

    /// Calls `body` with every hash and its number, in no particular order.
    package func forEachState(_ body: (StateHash, Int32) throws -> Void) rethrows {
        for shard in shards {
            for slot in 0..<1 << shard.bits where shard.slots[slot].mark != 0 {
                try body(shard.slots[slot].hash, StateIndex.number(of: shard.slots[slot].mark))
            }
        }
    }

    /// Prefetches the slots of many hashes into the processor's cache.
    @inline(__always)
    package func prefetch(_ hashes: [StateHash]) {
        for hash in hashes {
            let shard = shards[StateIndex.shard(of: hash)]
            let slot = UnsafeRawPointer(shard.slots + StateIndex.home(of: hash, in: shard))
            faultline_prefetch(slot)
            faultline_prefetch(slot + (MemoryLayout<Slot>.size - 1))
        }
    }

    private static func number(of mark: UInt32) -> Int32 { Int32(bitPattern: mark ^ 0x8000_0000) }
    private static func mark(_ number: Int32) -> UInt32 { UInt32(bitPattern: number) ^ 0x8000_0000 }

    // The first bits of the high word are mixed well enough for a slot index: it ends with a multiplication and two shifts.

    @inline(__always)
    private static func shard(of hash: StateHash) -> Int {
        Int(truncatingIfNeeded: hash.high >> UInt64(64 - shardBits))
    }

    @inline(__always)
    private static func home(of hash: StateHash, in shard: Shard) -> Int {
        Int(truncatingIfNeeded: (hash.high << UInt64(shardBits)) >> UInt64(64 - shard.bits))
    }

    /// The slot of `hash`, or the empty slot for it.
    @inline(__always)
    private static func slot(of hash: StateHash, in shard: Shard) -> Int {
        let mask = 1 << shard.bits - 1
        var slot = home(of: hash, in: shard)
        while shard.slots[slot].mark != 0, shard.slots[slot].hash != hash { slot = (slot + 1) & mask }
        return slot
    }

    private func grow(_ index: Int) throws(RecordingError) {
        let old = shards[index]
        let new = Shard(slots: try memory.take(bits: old.bits + 1), bits: old.bits + 1, count: old.count)
        for slot in 0..<1 << old.bits where old.slots[slot].mark != 0 {
            new.slots[StateIndex.slot(of: old.slots[slot].hash, in: new)] = old.slots[slot]
        }
        memory.free(old.slots, bits: old.bits)
        shards[index] = new
    }
}
