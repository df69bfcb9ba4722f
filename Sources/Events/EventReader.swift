import Bytes
import Engine
import Storage

/// Reads the durable events of a shard in order, in bounded memory, with or without a concurrent writer.
///
/// Not thread safe; use one reader for each thread.
public struct EventReader: ~Copyable {
    private var reader: LogReader?
    private var last: UInt64
    private let end: UInt64

    /// An empty reader.
    init() {
        reader = nil
        (last, end) = (0, 0)
    }

    init(
        _ storage: any Storage, shard: UInt16, from first: LSN, after sequence: UInt64, through end: UInt64,
        policy: DamagePolicy
    ) throws(EngineError) {
        reader = try LogReader(storage, shard: shard, from: first, through: nil, policy: policy)
        last = sequence
        self.end = end
    }

    /// Reads the events of a shard after `sequence`, without a store. It takes no lock and changes nothing. With a concurrent
    /// writer, a crash can still lose the last events.
    public static func open(
        storage: some Storage, shard: UInt16 = 0, after sequence: UInt64 = 0, damagePolicy: DamagePolicy = .refuse
    ) throws(EngineError) -> EventReader {
        try EventReader(
            storage, shard: shard, from: .none, after: sequence, through: .max, policy: damagePolicy)
    }

    /// The next event; nil at the end.
    public mutating func next() throws(EngineError) -> SequencedEvent? {
        while last < end, let record = try reader?.next() {
            guard record.type == .event else { continue }
            let found = record.payload.withUnsafeBytes { EventRecord.event(key: record.key, payload: $0) }
            guard let found else { throw .malformed(.event, record.lsn) }
            guard found.sequence > last else { continue }
            last = found.sequence
            return found.sequence <= end ? found : nil
        }
        return nil
    }
}
