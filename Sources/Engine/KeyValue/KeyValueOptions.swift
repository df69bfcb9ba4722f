/// The options of a key-value store.
public struct KeyValueOptions: Hashable, Sendable {
    public var log: LogOptions

    public init(log: LogOptions = LogOptions()) { self.log = log }
}
