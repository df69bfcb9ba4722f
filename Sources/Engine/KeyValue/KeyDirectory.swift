import Bytes

/// Where the live value of a key lies.
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

/// The live keys of a store and where their values lie; the values themselves stay on storage.
///
/// It is split by a checksum of the key into parts, each under a lock of its own. A writer holds its key's part from
/// before it appends until the entry is changed, so that entries follow the log in its order.
final class KeyDirectory: Sendable {
    /// Guarded by its gate.
    final class Part: @unchecked Sendable {
        let gate = SystemGate()
        var entries: [ByteString: ValueLocation] = [:]
    }

    private let parts = (0..<16).map { _ in Part() }

    func part(of key: ByteString) -> Part { parts[partIndex(of: key)] }

    /// The parts of all the keys, each once, in the order in which they are to be locked.
    func parts(of keys: some Sequence<ByteString>) -> [Part] {
        Set(keys.map(partIndex)).sorted().map { parts[$0] }
    }

    private func partIndex(of key: ByteString) -> Int { Int(CRC32C.checksum(key.bytes)) & (parts.count - 1) }

    subscript(_ key: ByteString) -> ValueLocation? {
        let part = part(of: key)
        return part.gate.withLock { part.entries[key] }
    }

    /// Sets or removes an entry. The caller holds the key's part, or is alone.
    func set(_ key: ByteString, _ location: ValueLocation?) { part(of: key).entries[key] = location }

    var count: Int { parts.reduce(0) { sum, part in sum + part.gate.withLock { part.entries.count } } }

    /// Every key, in bytewise order. Parts are read one after the other: beside writers it is no snapshot.
    var keys: [ByteString] {
        parts.flatMap { part in part.gate.withLock { Array(part.entries.keys) } }.sorted()
    }
}
