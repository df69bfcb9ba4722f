import Bytes

/// Something that happened to something: what the event view keeps.
///
/// Two events are the same when all four fields are, bit for bit: weights are compared as their bits, so that 0 and -0 are
/// two weights, and a NaN is the same as itself.
public struct Event: Sendable {
    /// What it happened to: at most 64 KiB.
    public var entity: ByteString
    /// What happened: at most 64 KiB.
    public var type: ByteString
    public var weight: Double
    /// When it happened, in a unit and by a clock of the writer's choice. The store keeps it and does not interpret it.
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

/// An event and its place in the order of its shard.
public struct SequencedEvent: Hashable, Sendable {
    /// The first event of a shard is 1, each next one is one more, and none is ever used twice.
    public var sequence: UInt64
    /// When the store took it, by the store's clock: nanoseconds since 1970.
    public var arrivalNanoseconds: UInt64
    public var event: Event

    public init(sequence: UInt64, arrivalNanoseconds: UInt64, event: Event) {
        self.sequence = sequence
        self.arrivalNanoseconds = arrivalNanoseconds
        self.event = event
    }
}

/// How far whoever reads the events has applied them.
public struct Checkpoint: Hashable, Sendable {
    /// Every event up to this one is applied; 0 for none.
    public var sequence: UInt64
    /// When it was taken, by the store's clock: nanoseconds since 1970.
    public var timeNanoseconds: UInt64

    /// Before every event.
    public static let none = Checkpoint(sequence: 0, timeNanoseconds: 0)
}
