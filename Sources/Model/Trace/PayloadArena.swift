import Synchronization

/// A payload store in memory, for traces that are recorded and explored in one process. Thread safe.
public final class PayloadArena: PayloadStore {
    private let kept: Mutex<[UInt8]>

    public init() { kept = Mutex([]) }

    /// An arena with initial content.
    package init(_ bytes: consuming [UInt8]) { kept = Mutex(bytes) }

    /// Keeps a copy of `bytes`.
    public func store(_ bytes: some Collection<UInt8>) -> Payload {
        kept.withLock { kept in
            defer { kept.append(contentsOf: bytes) }
            return Payload(offsetBytes: UInt64(kept.count), countBytes: UInt64(bytes.count))
        }
    }

    /// The number of bytes in the arena.
    package var countBytes: UInt64 { kept.withLock { UInt64($0.count) } }

    public func bytes(of payload: Payload) throws(PayloadError) -> [UInt8] {
        let end = payload.offsetBytes.addingReportingOverflow(payload.countBytes)
        return try kept.withLock { kept throws(PayloadError) in
            guard !end.overflow, end.partialValue <= UInt64(kept.count) else { throw .outOfRange(payload) }
            return Array(kept[Int(payload.offsetBytes)..<Int(end.partialValue)])
        }
    }
}

/// Why a payload cannot be read.
public enum PayloadError: Error, Hashable, Sendable {
    /// The payload is outside of its store: the trace is damaged or belongs to another store.
    case outOfRange(Payload)
}
