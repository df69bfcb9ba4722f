import Bytes

import func Glibc.memcmp

/// Maps keys to small numbers: an open-addressing hash table with linear probing.
///
/// Numbers are assigned in order of insertion, so iteration is deterministic, unlike that of a Dictionary. Numbers of
/// removed keys are reused. The bytes of all keys are in one array, for few cache misses; it is compacted when more
/// than half of it belongs to removed keys.
///
/// The hash function is fast and unseeded. If keys collide so much that they must have been made to, the table switches
/// to the standard library's hash, which is seeded per process.
struct KeyTable: Sendable {
    private struct Key {
        var hash: UInt64
        var start: Int
        /// -1 for a free number.
        var count: Int
    }

    /// By number.
    private var keys: [Key] = []
    private var bytes: [UInt8] = []
    private var removedBytes = 0
    /// 0 for an empty slot, else the number plus one.
    private var slots = [UInt32](repeating: 0, count: 16)
    private var free: [Int] = []
    private(set) var usesSeededHash = false

    /// The longest probe sequence before the table switches to the seeded hash.
    private static let longestProbe = 128

    /// The key of `number`.
    subscript(number: Int) -> ByteString {
        let key = keys[number]
        return ByteString(Array(bytes[key.start..<key.start + max(0, key.count)]))
    }

    func number(of key: ByteString) -> Int? {
        let hash = hash(key.bytes)
        return key.bytes.withUnsafeBytes { wanted in
            bytes.withUnsafeBytes { bytes in
                var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
                while slots[slot] != 0 {
                    let number = Int(slots[slot]) - 1
                    if keys[number].hash == hash && keys[number].count == wanted.count {
                        let start = keys[number].start
                        if wanted.isEmpty || memcmp(bytes.baseAddress! + start, wanted.baseAddress!, wanted.count) == 0
                        {
                            return number
                        }
                    }
                    slot = (slot + 1) & (slots.count - 1)
                }
                return nil
            }
        }
    }

    /// Adds `key`, which must be new, and returns its number.
    mutating func add(_ key: ByteString) -> Int {
        if (keys.count - free.count + 1) * 2 > slots.count { grow() }
        let entry = Key(hash: hash(key.bytes), start: bytes.count, count: key.count)
        bytes.append(contentsOf: key.bytes)
        let number = free.popLast() ?? keys.count
        if number == keys.count { keys.append(entry) } else { keys[number] = entry }
        if insert(number) > Self.longestProbe, !usesSeededHash { switchToSeededHash() }
        return number
    }

    mutating func remove(_ number: Int) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: keys[number].hash) & mask
        while slots[hole] != UInt32(number + 1) { hole = (hole + 1) & mask }
        // Close the gap: move back the keys that probing had pushed past it.
        var slot = (hole + 1) & mask
        while slots[slot] != 0 {
            let home = Int(truncatingIfNeeded: keys[Int(slots[slot]) - 1].hash) & mask
            if (slot - home) & mask >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = (slot + 1) & mask
        }
        slots[hole] = 0
        removedBytes += keys[number].count
        keys[number] = Key(hash: 0, start: 0, count: -1)
        free.append(number)
        if removedBytes > max(4096, bytes.count / 2) { compact() }
    }

    /// Inserts the number into its slot. Returns the length of the probe sequence.
    @discardableResult
    private mutating func insert(_ number: Int) -> Int {
        var slot = Int(truncatingIfNeeded: keys[number].hash) & (slots.count - 1)
        var passed = 0
        while slots[slot] != 0 {
            slot = (slot + 1) & (slots.count - 1)
            passed += 1
        }
        slots[slot] = UInt32(number + 1)
        return passed
    }

    private mutating func switchToSeededHash() {
        usesSeededHash = true
        for number in keys.indices where keys[number].count >= 0 { keys[number].hash = hash(self[number].bytes) }
        slots = [UInt32](repeating: 0, count: slots.count)
        for number in keys.indices where keys[number].count >= 0 { insert(number) }
    }

    @inline(__always)
    private func hash(_ key: [UInt8]) -> UInt64 {
        usesSeededHash ? UInt64(bitPattern: Int64(ByteString(key).hashValue)) : Self.quickHash(key)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for number in keys.indices where keys[number].count >= 0 { insert(number) }
    }

    private mutating func compact() {
        var compacted: [UInt8] = []
        compacted.reserveCapacity(bytes.count - removedBytes)
        for number in keys.indices where keys[number].count >= 0 {
            let key = keys[number]
            keys[number].start = compacted.count
            compacted.append(contentsOf: bytes[key.start..<key.start + key.count])
        }
        bytes = compacted
        removedBytes = 0
    }

    /// Multiplies and folds eight bytes per step.
    private static func quickHash(_ key: [UInt8]) -> UInt64 {
        key.withUnsafeBytes { bytes in
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
