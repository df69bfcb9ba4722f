/// A cache of the most recently used values, limited in bytes.
///
/// It has two generations. Inserted and accessed values are in the young one. When that reaches half of the limit, it
/// becomes the old generation, and the previous old one is evicted. So an access costs at most two dictionary look-ups.
/// A value larger than the limit stays until the next insertion.
public struct RecentValues<Key: Hashable, Value> {
    private typealias Held = (value: Value, sizeBytes: Int)

    private let limitBytes: Int
    private var young: [Key: Held] = [:]
    private var old: [Key: Held] = [:]
    private var youngBytes = 0

    public init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// The number of cached values.
    public var count: Int { young.count + old.count }

    /// The value of `key`, marked as used; nil if it is not cached.
    public mutating func value(of key: Key) -> Value? {
        if let held = young[key] { return held.value }
        guard let held = old.removeValue(forKey: key) else { return nil }
        young[key] = held
        youngBytes += held.sizeBytes
        return held.value
    }

    /// Removes a value.
    public mutating func remove(_ key: Key) {
        old[key] = nil
        if let held = young.removeValue(forKey: key) { youngBytes -= held.sizeBytes }
    }

    /// Inserts or replaces the value of `key`. Returns the evicted values.
    @discardableResult
    public mutating func insert(_ value: Value, for key: Key, sizeBytes: Int) -> [(key: Key, value: Value)] {
        old[key] = nil
        var gone: [(key: Key, value: Value)] = []
        if youngBytes + sizeBytes > limitBytes / 2, !young.isEmpty {
            gone = old.map { ($0.key, $0.value.value) }
            old = young
            old[key] = nil
            (young, youngBytes) = ([:], 0)
        }
        youngBytes += sizeBytes - (young[key]?.sizeBytes ?? 0)
        young[key] = (value, sizeBytes)
        return gone
    }
}

extension RecentValues: Sendable where Key: Sendable, Value: Sendable {}
