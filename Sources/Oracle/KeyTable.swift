import Bytes

import func Glibc.memcmp

/// Keys and the small whole numbers that stand for them: an open-addressed hash table with linear probing.
///
/// Numbers are handed out in the order in which keys come, so that walking them is deterministic, unlike walking a
/// Dictionary; a removed key's number is used again. The keys' bytes lie one behind the other in one array, so that
/// looking one up touches few cache lines; what removed keys leave there is squeezed out once it is most of it.
///
/// The hash is quick and known to everybody. Keys that were made to meet in one place are noticed when they do, and
/// from then on the standard library's hash is used, which differs from process to process.
struct KeyTable: Sendable {
    private struct Key {
        var hash: UInt64
        var start: Int
        /// -1: a free number.
        var count: Int
    }

    /// By number.
    private var keys: [Key] = []
    private var bytes: [UInt8] = []
    private var removedBytes = 0
    /// 0: empty; else the number plus one.
    private var slots = [UInt32](repeating: 0, count: 16)
    private var free: [Int] = []
    private(set) var isGuarded = false

    /// How many slots a key may be pushed past its own before the table is guarded.
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

    /// The number of `key`, which must not be there.
    mutating func add(_ key: ByteString) -> Int {
        if (keys.count - free.count + 1) * 2 > slots.count { grow() }
        let entry = Key(hash: hash(key.bytes), start: bytes.count, count: key.count)
        bytes.append(contentsOf: key.bytes)
        let number = free.popLast() ?? keys.count
        if number == keys.count { keys.append(entry) } else { keys[number] = entry }
        if place(number) > Self.longestProbe, !isGuarded { guardAgainstCollisions() }
        return number
    }

    mutating func remove(_ number: Int) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: keys[number].hash) & mask
        while slots[hole] != UInt32(number + 1) { hole = (hole + 1) & mask }
        // Close the gap: whatever was pushed past the hole by probing moves back into it.
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
        if removedBytes > max(4096, bytes.count / 2) { squeeze() }
    }

    /// Returns how many slots were taken before the one that it found.
    @discardableResult
    private mutating func place(_ number: Int) -> Int {
        var slot = Int(truncatingIfNeeded: keys[number].hash) & (slots.count - 1)
        var passed = 0
        while slots[slot] != 0 {
            slot = (slot + 1) & (slots.count - 1)
            passed += 1
        }
        slots[slot] = UInt32(number + 1)
        return passed
    }

    private mutating func guardAgainstCollisions() {
        isGuarded = true
        for number in keys.indices where keys[number].count >= 0 { keys[number].hash = hash(self[number].bytes) }
        slots = [UInt32](repeating: 0, count: slots.count)
        for number in keys.indices where keys[number].count >= 0 { place(number) }
    }

    @inline(__always)
    private func hash(_ key: [UInt8]) -> UInt64 {
        isGuarded ? UInt64(bitPattern: Int64(ByteString(key).hashValue)) : Self.quickHash(key)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for number in keys.indices where keys[number].count >= 0 { place(number) }
    }

    private mutating func squeeze() {
        var squeezed: [UInt8] = []
        squeezed.reserveCapacity(bytes.count - removedBytes)
        for number in keys.indices where keys[number].count >= 0 {
            let key = keys[number]
            keys[number].start = squeezed.count
            squeezed.append(contentsOf: bytes[key.start..<key.start + key.count])
        }
        bytes = squeezed
        removedBytes = 0
    }

    /// Eight bytes a step, multiplied and folded.
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
