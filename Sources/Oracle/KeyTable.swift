import Bytes

/// Keys and the small whole numbers that stand for them: an open-addressed hash table with linear probing.
///
/// Numbers are handed out in the order in which keys come, so that walking them is deterministic, unlike walking a
/// Dictionary; a removed key's number is used again.
struct KeyTable: Sendable {
    /// By number; what stands at a free number has no meaning.
    private(set) var keys: [ByteString] = []
    private var hashes: [UInt64] = []
    /// 0: empty; else the number plus one.
    private var slots = [UInt32](repeating: 0, count: 16)
    private var free: [Int] = []

    /// Numbers run below this; free ones among them.
    var limit: Int { keys.count }

    func number(of key: ByteString) -> Int? {
        let hash = Self.hash(key)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if hashes[number] == hash && keys[number] == key { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The number of `key`, which must not be there.
    mutating func add(_ key: ByteString) -> Int {
        if (keys.count - free.count + 1) * 2 > slots.count { grow() }
        let hash = Self.hash(key)
        let number: Int
        if let last = free.popLast() {
            number = last
            keys[number] = key
            hashes[number] = hash
        } else {
            number = keys.count
            keys.append(key)
            hashes.append(hash)
        }
        place(number)
        return number
    }

    mutating func remove(_ number: Int) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: hashes[number]) & mask
        while slots[hole] != UInt32(number + 1) { hole = (hole + 1) & mask }
        // Close the gap: whatever was pushed past the hole by probing moves back into it.
        var slot = (hole + 1) & mask
        while slots[slot] != 0 {
            let home = Int(truncatingIfNeeded: hashes[Int(slots[slot]) - 1]) & mask
            if (slot - home) & mask >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = (slot + 1) & mask
        }
        slots[hole] = 0
        keys[number] = ByteString([])
        free.append(number)
    }

    private mutating func place(_ number: Int) {
        var slot = Int(truncatingIfNeeded: hashes[number]) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(number + 1)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        let isFree = Set(free)
        for number in keys.indices where !isFree.contains(number) { place(number) }
    }

    /// Eight bytes a step, multiplied and folded. Keys come from a workload, not from an adversary.
    private static func hash(_ key: ByteString) -> UInt64 {
        key.bytes.withUnsafeBytes { bytes in
            var hash = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
            var index = 0
            while index < bytes.count {
                var word: UInt64 = 0
                if index + 8 <= bytes.count {
                    word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                } else {
                    for offset in index..<bytes.count { word = word << 8 | UInt64(bytes[offset]) }
                }
                let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
                hash = product.high ^ product.low ^ 0xA076_1D64_78BD_642F
                index += 8
            }
            return hash ^ hash >> 32
        }
    }
}
