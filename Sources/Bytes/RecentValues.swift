/// The values that were used last, up to so many bytes.
///
/// Two generations: a value that is entered or asked for is in the young one; when that holds half of the bytes, it
/// becomes the old one, and what was old is let go. So a look-up costs one or two look-ups in a dictionary, however much
/// is let go. A value larger than the limit is kept until the next one is entered.
public struct RecentValues<Key: Hashable, Value> {
    private typealias Held = (value: Value, sizeBytes: Int)

    private let limitBytes: Int
    private var young: [Key: Held] = [:]
    private var old: [Key: Held] = [:]
    private var youngBytes = 0

    public init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// How many values are kept.
    public var count: Int { young.count + old.count }

    /// The value of `key`, which counts as used from now on; nil when it was let go or never entered.
    public mutating func value(of key: Key) -> Value? {
        if let held = young[key] { return held.value }
        guard let held = old.removeValue(forKey: key) else { return nil }
        young[key] = held
        youngBytes += held.sizeBytes
        return held.value
    }

    /// Lets a value go.
    public mutating func remove(_ key: Key) {
        old[key] = nil
        if let held = young.removeValue(forKey: key) { youngBytes -= held.sizeBytes }
    }

    /// Enters a value, in the place of the one that `key` had. Returns what is let go for it.
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
