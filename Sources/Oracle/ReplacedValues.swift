import Bytes

/// A sample of values that acknowledged operations have replaced, for the positive control (old values, resurrected
/// keys) when the history is not kept. At most `capacity` of each kind: the first ones, then every `stride`-th, to save
/// time.
struct ReplacedValues: Sendable {
    struct Value: Sendable {
        var key: ByteString
        var payload: [UInt8]
    }

    static let capacity = 64
    /// Once full, every `stride`-th value replaces an older one.
    static let stride = 16

    private(set) var overwritten: [Value] = []
    private(set) var deleted: [Value] = []
    private var nextOverwritten = 0
    private var nextDeleted = 0
    private var seenOverwritten = 0
    private var seenDeleted = 0

    mutating func note(_ key: ByteString, _ old: Version, by new: Version) {
        guard let payload = old.payload, !areSame(new.kept, payload) else { return }
        if new.kept == nil {
            seenDeleted += 1
            guard deleted.count < Self.capacity || seenDeleted % Self.stride == 0 else { return }
            Self.put(Value(key: key, payload: payload), in: &deleted, at: &nextDeleted)
        } else {
            seenOverwritten += 1
            guard overwritten.count < Self.capacity || seenOverwritten % Self.stride == 0 else { return }
            Self.put(Value(key: key, payload: payload), in: &overwritten, at: &nextOverwritten)
        }
    }

    private static func put(_ value: Value, in ring: inout [Value], at next: inout Int) {
        if ring.count < capacity { ring.append(value) } else { ring[next] = value }
        next = (next + 1) % capacity
    }
}
