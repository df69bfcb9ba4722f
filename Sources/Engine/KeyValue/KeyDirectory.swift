import Bytes
import Platform

/// The location of the live value of a key.
struct ValueLocation: Hashable, Sendable {
    var lsn: UInt64
    var sequence: UInt32
    var offsetBytes: UInt32
    var payloadCount: UInt32

    init(_ place: Place, payloadCount: Int) {
        lsn = place.lsn
        sequence = place.sequence
        offsetBytes = place.offsetBytes
        self.payloadCount = UInt32(payloadCount)
    }
}

/// The location of the record of a live value, for inspection.
public struct ValuePlace: Hashable, Sendable {
    public var lsn: LSN
    /// The name of the segment file.
    public var segment: ByteString
    /// The offset of the record in the segment: its header, then the key, then the value.
    public var offsetBytes: UInt64
    public var recordSizeBytes: Int
    public var valueSizeBytes: Int

    init(_ location: ValueLocation, keyCount: Int, shard: UInt16) {
        lsn = LSN(location.lsn)
        segment = SegmentName(shard: shard, sequence: location.sequence).fileName
        offsetBytes = UInt64(location.offsetBytes)
        valueSizeBytes = Int(location.payloadCount)
        recordSizeBytes = Frame.size(keyCount: keyCount, payloadCount: valueSizeBytes)
    }
}

/// The live keys of a store and the locations of their values. The values stay on storage.
///
/// It is split by hash into partitions with a lock each. A writer locks the partition of its key before it appends and until
/// the entry is changed, so that entries change in the order of the log.
final class KeyDirectory<C: Coordination>: Sendable {
    /// Guarded by its gate.
    final class Part: @unchecked Sendable {
        let gate = C.Gate(name: "partition gate")
        fileprivate(set) var table = KeyTable()
    }

    /// The partition of a key and its hash.
    struct Spot {
        let part: Part
        fileprivate let hash: UInt32
    }

    private let keyHash: KeyHash
    private let parts = (0..<16).map { _ in Part() }

    init(_ keyHash: KeyHash = KeyHash()) { self.keyHash = keyHash }

    func spot(of key: UnsafeRawBufferPointer) -> Spot {
        let (index, hash) = hash(key)
        return Spot(part: parts[index], hash: hash)
    }

    func spot(of key: ByteString) -> Spot { key.bytes.withUnsafeBytes { spot(of: $0) } }

    /// The partitions of the keys without duplicates, in the order in which they must be locked.
    func parts(of keys: some Sequence<ByteString>) -> [Part] {
        Set(keys.map { $0.bytes.withUnsafeBytes { hash($0).part } }).sorted().map { parts[$0] }
    }

    /// The number of the key's partition and its hash there.
    @inline(__always)
    func hash(_ key: UnsafeRawBufferPointer) -> (part: Int, hash: UInt32) {
        let hash = keyHash(key)
        return (Int(hash >> 60), UInt32(truncatingIfNeeded: hash))
    }

    /// Reads an entry, under the lock of its partition.
    subscript(_ key: ByteString) -> ValueLocation? {
        key.bytes.withUnsafeBytes { key in
            let spot = spot(of: key)
            return spot.part.gate.withLock { spot.part.table.location(of: key, hash: spot.hash) }
        }
    }

    /// Reads an entry. The caller holds the lock of the key's partition.
    func location(of key: ByteString, at spot: Spot) -> ValueLocation? {
        key.bytes.withUnsafeBytes { spot.part.table.location(of: $0, hash: spot.hash) }
    }

    /// Sets or removes an entry. The caller holds the key's part, or is alone.
    func set(_ key: ByteString, at spot: Spot, _ location: ValueLocation?) {
        key.bytes.withUnsafeBytes { set($0, at: spot, location) }
    }

    /// Sets or removes an entry. The caller holds the key's part, or is alone.
    func set(_ key: UnsafeRawBufferPointer, at spot: Spot, _ location: ValueLocation?) {
        if let location {
            spot.part.table.set(key, hash: spot.hash, location)
        } else {
            spot.part.table.remove(key, hash: spot.hash)
        }
    }

    var partCount: Int { parts.count }

    /// Sets entries of one partition. No other thread may use the directory.
    func set(_ waiting: borrowing QueuedPuts, inPart part: Int) { parts[part].table.set(waiting) }

    /// The allocated memory in bytes.
    var allocatedBytes: Int { parts.reduce(0) { sum, part in sum + part.gate.withLock { part.table.allocatedBytes } } }

    var count: Int { parts.reduce(0) { sum, part in sum + part.gate.withLock { part.table.count } } }

    /// All keys, in bytewise order. Partitions are read one after the other: with concurrent writers it is not a snapshot.
    var keys: [ByteString] {
        var keys: [ByteString] = []
        for part in parts { part.gate.withLock { keys += part.table.keys } }
        return Self.sorted(keys)
    }

    /// Sorts by the first eight bytes if these differ, without access to the keys.
    private static func sorted(_ keys: [ByteString]) -> [ByteString] {
        var order: [(start: UInt64, index: Int)] = []
        order.reserveCapacity(keys.count)
        for (index, key) in keys.enumerated() {
            var start: UInt64 = 0
            for byte in key.bytes.prefix(8) { start = start << 8 | UInt64(byte) }
            order.append((start << UInt64(8 * (8 - min(8, key.count))), index))
        }
        order.sort { $0.start == $1.start ? keys[$0.index] < keys[$1.index] : $0.start < $1.start }
        return order.map { keys[$0.index] }
    }
}
