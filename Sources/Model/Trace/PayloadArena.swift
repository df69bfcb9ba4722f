import Synchronization

/// Payloads kept in memory, for traces that are recorded and derived in one process. Safe from several threads.
public final class PayloadArena: PayloadStore {
    private let kept: Mutex<[UInt8]>

    public init() { kept = Mutex([]) }

    /// An arena that holds these bytes already.
    package init(_ bytes: consuming [UInt8]) { kept = Mutex(bytes) }

    /// Keeps a copy of `bytes`.
    public func store(_ bytes: some Collection<UInt8>) -> Payload {
        kept.withLock { kept in
            defer { kept.append(contentsOf: bytes) }
            return Payload(offsetBytes: UInt64(kept.count), countBytes: UInt64(bytes.count))
        }
    }

    /// How many bytes it holds.
    package var countBytes: UInt64 { kept.withLock { UInt64($0.count) } }

    public func bytes(of payload: Payload) throws(PayloadError) -> [UInt8] {
        let end = payload.offsetBytes.addingReportingOverflow(payload.countBytes)
        return try kept.withLock { kept throws(PayloadError) in
            guard !end.overflow, end.partialValue <= UInt64(kept.count) else { throw .outOfRange(payload) }
            return Array(kept[Int(payload.offsetBytes)..<Int(end.partialValue)])
        }
    }
}

/// Why a payload could not be read.
public enum PayloadError: Error, Hashable, Sendable {
    /// The payload does not lie within its store: the trace is damaged or belongs to another store.
    case outOfRange(Payload)
}
