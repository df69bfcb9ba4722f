import Glibc

/// A buddy allocator of zeroed memory for the shards of a `StateIndex`. Two freed neighbours become one block of twice the
/// size, which a growing shard can use. All memory returns to the system at the end.
///
/// It uses normal pages: huge pages make a lookup a few nanoseconds faster, but may cost the system a second to provide.
/// Not thread safe.
struct SlotAllocator: ~Copyable {
    typealias Slots = UnsafeMutablePointer<StateIndex.Slot>

    /// The binary logarithm of the smallest slab, in slots.
    private static let slabBits = 20

    private struct Slab {
        var slots: Slots
        var bits: Int
        /// For each binary logarithm of a block's size: the offsets of the free blocks.
        var free: [Set<Int>]

        /// Allocates 2^`bits` zeroed slots; nil if no block is large enough.
        mutating func take(_ bits: Int) -> Slots? {
            guard bits <= self.bits, var size = (bits...self.bits).first(where: { !free[$0].isEmpty }) else {
                return nil
            }
            let begin = free[size].removeFirst()
            while size > bits {
                size -= 1
                free[size].insert(begin + (1 << size))
            }
            memset(slots + begin, 0, SlotAllocator.byteCount(bits))
            return slots + begin
        }
    }

    private var slabs: [Slab] = []

    deinit { for slab in slabs { munmap(slab.slots, SlotAllocator.byteCount(slab.bits)) } }

    private static func byteCount(_ bits: Int) -> Int { MemoryLayout<StateIndex.Slot>.stride << bits }

    /// Allocates 2^`bits` zeroed slots. Throws if the system has no memory.
    mutating func take(bits: Int) throws(RecordingError) -> Slots {
        for index in slabs.indices.reversed() {
            if let slots = slabs[index].take(bits) { return slots }
        }
        slabs.append(try SlotAllocator.slab(bits: max(SlotAllocator.slabBits, bits)))
        return slabs[slabs.count - 1].take(bits)!
    }

    mutating func free(_ slots: Slots, bits: Int) {
        guard let index = slabs.firstIndex(where: { $0.slots <= slots && slots < $0.slots + (1 << $0.bits) }) else {
            return
        }
        var begin = slots - slabs[index].slots
        var size = bits
        while size < slabs[index].bits, slabs[index].free[size].remove(begin ^ (1 << size)) != nil {
            begin &= ~(1 << size)
            size += 1
        }
        slabs[index].free[size].insert(begin)
    }

    private static func slab(bits: Int) throws(RecordingError) -> Slab {
        let bytes = byteCount(bits)
        let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw .noMemory(sizeBytes: bytes) }
        var free = [Set<Int>](repeating: [], count: bits + 1)
        free[bits] = [0]
        return Slab(slots: memory.bindMemory(to: StateIndex.Slot.self, capacity: 1 << bits), bits: bits, free: free)
    }
}
