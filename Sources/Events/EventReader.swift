import Bytes
import Engine
import Storage

/// Reads the durable events of a shard one after the other, in their order and in bounded memory, beside the writer.
///
/// Not safe to use from several threads at once; every thread can have its own.
public struct EventReader: ~Copyable {
    private var reader: LogReader?
    private var last: UInt64
    private let end: UInt64

    /// Nothing to read.
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

    /// Reads the events of a shard after `sequence`, without a store: it takes no lock and changes nothing. Beside a
    /// writer the last events may be such as a crash can still take back.
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
