import Bytes

/// An event of the event view: something happened to an entity.
///
/// Two events are equal if all four fields are equal bit for bit. Weights are compared as bits: 0 and -0 differ, and a NaN is
/// equal to itself.
public struct Event: Sendable {
    /// The entity that it happened to: at most 64 KiB.
    public var entity: ByteString
    /// The type of the event: at most 64 KiB.
    public var type: ByteString
    public var weight: Double
    /// When it happened, in a unit of the writer's choice. The store does not interpret it.
    public var timestamp: Int64

    public init(entity: ByteString, type: ByteString, weight: Double = 1, timestamp: Int64) {
        self.entity = entity
        self.type = type
        self.weight = weight
        self.timestamp = timestamp
    }
}

extension Event: Hashable {
    public static func == (left: Event, right: Event) -> Bool {
        left.entity == right.entity && left.type == right.type && left.timestamp == right.timestamp
            && left.weight.bitPattern == right.weight.bitPattern
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(entity)
        hasher.combine(type)
        hasher.combine(timestamp)
        hasher.combine(weight.bitPattern)
    }
}

/// An event with its sequence number in its shard.
public struct SequencedEvent: Hashable, Sendable {
    /// The first event of a shard has 1, each next one is one more. Numbers are never reused.
    public var sequence: UInt64
    /// When it arrived, by the store's clock: nanoseconds since 1970.
    public var arrivalNanoseconds: UInt64
    public var event: Event

    public init(sequence: UInt64, arrivalNanoseconds: UInt64, event: Event) {
        self.sequence = sequence
        self.arrivalNanoseconds = arrivalNanoseconds
        self.event = event
    }
}

/// A checkpoint: how far the reader of the events has applied them.
public struct Checkpoint: Hashable, Sendable {
    /// Every event up to this one is applied; 0 for none.
    public var sequence: UInt64
    /// When it was taken, by the store's clock: nanoseconds since 1970.
    public var timeNanoseconds: UInt64

    /// The checkpoint before the first event.
    public static let none = Checkpoint(sequence: 0, timeNanoseconds: 0)
}
