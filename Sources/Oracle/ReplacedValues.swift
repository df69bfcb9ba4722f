import Bytes

/// A few values that acknowledged operations have replaced: what the positive control makes its old values and
/// resurrected keys of when no history is kept. The newest of each kind, at most `capacity`.
struct ReplacedValues: Sendable {
    struct Value: Sendable {
        var key: ByteString
        var payload: [UInt8]
    }

    static let capacity = 64

    private(set) var overwritten: [Value] = []
    private(set) var deleted: [Value] = []
    private var nextOverwritten = 0
    private var nextDeleted = 0

    mutating func note(_ key: ByteString, _ old: Version, by new: Version) {
        guard let payload = old.payload, payload != new.payload else { return }
        let value = Value(key: key, payload: payload)
        if new.payload == nil {
            Self.put(value, in: &deleted, at: &nextDeleted)
        } else {
            Self.put(value, in: &overwritten, at: &nextOverwritten)
        }
    }

    private static func put(_ value: Value, in ring: inout [Value], at next: inout Int) {
        if ring.count < capacity { ring.append(value) } else { ring[next] = value }
        next = (next + 1) % capacity
    }
}
