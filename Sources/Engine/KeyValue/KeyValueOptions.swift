/// How a key-value store lies on storage.
public struct KeyValueOptions: Hashable, Sendable {
    public var log: LogOptions

    public init(log: LogOptions = LogOptions()) { self.log = log }
}
