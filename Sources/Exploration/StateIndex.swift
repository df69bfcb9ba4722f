import CPlatform
import Model

/// A map from the hashes of states to small numbers: what an exploration has met. 24 bytes a place, of which at most
/// five eighths are taken, so that ten million states take some 400 MB and a place is found at the second look.
///
/// Nearly every question is a miss of the processor's caches, so a place mostly lies in one line of them, and those who ask for
/// many at once (`bringNear`) wait for all of them together. The table is cut by the first bits of the hashes into shards
/// with open addressing, each of which grows alone: there is never a second copy of the whole, and a shard is copied in
/// the order of its places.
///
/// Nothing is ever removed. Reading from several threads is safe while none writes.
package final class StateIndex: @unchecked Sendable {
    struct Place {
        var hash: StateHash
        /// The number's distance from the smallest `Int32`: 0, as in fresh memory, where there is none.
        var mark: UInt32
    }

    private struct Shard {
        var places: UnsafeMutablePointer<Place>
        /// The logarithm of how many places there are.
        var bits: Int
        var count = 0
    }

    private static let shardBits = 8
    private static let firstBits = 6

    private var memory = PlaceMemory()
    private let shards: UnsafeMutableBufferPointer<Shard>
    package private(set) var count = 0

    /// Throws when the system has no memory for it.
    package init() throws(RecordingError) {
        shards = .allocate(capacity: 1 << StateIndex.shardBits)
        for index in shards.indices {
            let places = try memory.take(bits: StateIndex.firstBits)
            shards.initializeElement(at: index, to: Shard(places: places, bits: StateIndex.firstBits))
        }
    }

    deinit { shards.deallocate() }

    /// The number of `hash`, which may be anything but the smallest `Int32`; nil when it was not met.
    package subscript(_ hash: StateHash) -> Int32? {
        let shard = shards[StateIndex.shard(of: hash)]
        let mark = shard.places[StateIndex.place(of: hash, in: shard)].mark
        return mark == 0 ? nil : StateIndex.number(of: mark)
    }

    /// Gives `hash` this number, whether it was met or not. Throws when the system has no memory for it.
    package func set(_ hash: StateHash, _ number: Int32) throws(RecordingError) {
        guard let known = try insert(hash, number), known != number else { return }
        let shard = shards[StateIndex.shard(of: hash)]
        shard.places[StateIndex.place(of: hash, in: shard)].mark = StateIndex.mark(number)
    }

    /// Enters `hash` with `number` where it was not met; the number that it has, where it was. Throws when the
    /// system has no memory for it.
    @inline(__always)
    package func insert(_ hash: StateHash, _ number: Int32) throws(RecordingError) -> Int32? {
        let index = StateIndex.shard(of: hash)
        let shard = shards[index]
        let place = StateIndex.place(of: hash, in: shard)
        let known = shard.places[place].mark
        guard known == 0 else { return StateIndex.number(of: known) }
        shard.places[place] = Place(hash: hash, mark: StateIndex.mark(number))
        count += 1
        shards[index].count += 1
        if (shard.count + 1) * 8 > 5 << shard.bits { try grow(index) }
        return nil
    }

    /// Every hash with its number, in no order.
    package func forEachState(_ body: (StateHash, Int32) throws -> Void) rethrows {
        for shard in shards {
            for place in 0..<1 << shard.bits where shard.places[place].mark != 0 {
                try body(shard.places[place].hash, StateIndex.number(of: shard.places[place].mark))
            }
        }
    }

    /// Has the places of many hashes brought near, all at once, before each is asked for.
    @inline(__always)
    package func bringNear(_ hashes: [StateHash]) {
        for hash in hashes {
            let shard = shards[StateIndex.shard(of: hash)]
            let place = UnsafeRawPointer(shard.places + StateIndex.home(of: hash, in: shard))
            faultline_prefetch(place)
            faultline_prefetch(place + (MemoryLayout<Place>.size - 1))
        }
    }

    private static func number(of mark: UInt32) -> Int32 { Int32(bitPattern: mark ^ 0x8000_0000) }
    private static func mark(_ number: Int32) -> UInt32 { UInt32(bitPattern: number) ^ 0x8000_0000 }

    // The high word ends with a multiplication and two shifts: its first bits are mixed well enough to be a place.

    @inline(__always)
    private static func shard(of hash: StateHash) -> Int {
        Int(truncatingIfNeeded: hash.high >> UInt64(64 - shardBits))
    }

    @inline(__always)
    private static func home(of hash: StateHash, in shard: Shard) -> Int {
        Int(truncatingIfNeeded: (hash.high << UInt64(shardBits)) >> UInt64(64 - shard.bits))
    }

    /// Where `hash` is, or would be entered.
    @inline(__always)
    private static func place(of hash: StateHash, in shard: Shard) -> Int {
        let mask = 1 << shard.bits - 1
        var place = home(of: hash, in: shard)
        while shard.places[place].mark != 0, shard.places[place].hash != hash { place = (place + 1) & mask }
        return place
    }

    private func grow(_ index: Int) throws(RecordingError) {
        let old = shards[index]
        let new = Shard(places: try memory.take(bits: old.bits + 1), bits: old.bits + 1, count: old.count)
        for place in 0..<1 << old.bits where old.places[place].mark != 0 {
            new.places[StateIndex.place(of: old.places[place].hash, in: new)] = old.places[place]
        }
        memory.giveBack(old.places, bits: old.bits)
        shards[index] = new
    }
}
