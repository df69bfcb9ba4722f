import Glibc

/// Zeroed memory for the shards of a `StateIndex`, in powers of two: a buddy allocator. Two neighbours that were given
/// back are one block of twice the size, which serves a shard that grows; all of it goes back to the system in the end.
///
/// In plain pages: huge ones make a question a few nanoseconds cheaper, and may cost the system a second to come by.
/// Not thread safe.
struct PlaceMemory: ~Copyable {
    typealias Places = UnsafeMutablePointer<StateIndex.Place>

    /// The logarithm of how many places a slab has at the least.
    private static let slabBits = 20

    private struct Slab {
        var places: Places
        var bits: Int
        /// By the logarithm of its count: where blocks that are free begin.
        var free: [Set<Int>]

        /// So many zeroed places; nil when no block is large enough.
        mutating func take(_ bits: Int) -> Places? {
            guard bits <= self.bits, var size = (bits...self.bits).first(where: { !free[$0].isEmpty }) else {
                return nil
            }
            let begin = free[size].removeFirst()
            while size > bits {
                size -= 1
                free[size].insert(begin + (1 << size))
            }
            memset(places + begin, 0, PlaceMemory.byteCount(bits))
            return places + begin
        }
    }

    private var slabs: [Slab] = []

    deinit { for slab in slabs { munmap(slab.places, PlaceMemory.byteCount(slab.bits)) } }

    private static func byteCount(_ bits: Int) -> Int { MemoryLayout<StateIndex.Place>.stride << bits }

    /// So many zeroed places. Throws when the system has no memory for them.
    mutating func take(bits: Int) throws(RecordingError) -> Places {
        for index in slabs.indices.reversed() {
            if let places = slabs[index].take(bits) { return places }
        }
        slabs.append(try PlaceMemory.slab(bits: max(PlaceMemory.slabBits, bits)))
        return slabs[slabs.count - 1].take(bits)!
    }

    mutating func giveBack(_ places: Places, bits: Int) {
        guard let index = slabs.firstIndex(where: { $0.places <= places && places < $0.places + (1 << $0.bits) }) else {
            return
        }
        var begin = places - slabs[index].places
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
        return Slab(places: memory.bindMemory(to: StateIndex.Place.self, capacity: 1 << bits), bits: bits, free: free)
    }
}
