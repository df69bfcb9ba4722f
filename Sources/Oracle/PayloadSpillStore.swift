/// Stores payloads of a validator's history that do not fit into memory. Thread safe.
public protocol PayloadSpillStore: Sendable {
    /// Stores a payload and returns its place; nil to keep it in memory.
    func put(_ payload: [UInt8]) -> UInt64?
    /// Reads the payload of `countBytes` bytes at `place`. Returns an empty array if reading fails; the owner of the
    /// store then knows of the failure and must discard all later judgements.
    func payload(at place: UInt64, countBytes: Int) -> [UInt8]
}

/// A payload in the validator's history, in memory or in the spill store.
enum KeptPayload: Sendable {
    case inMemory([UInt8])
    case spilled(SpilledPayload)

    init(_ payload: [UInt8], spillingTo store: (any PayloadSpillStore)?) {
        if let store, let place = store.put(payload) {
            self = .spilled(SpilledPayload(payload, place, store))
        } else {
            self = .inMemory(payload)
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .inMemory(let payload): payload
        case .spilled(let payload): payload.store.payload(at: payload.place, countBytes: payload.count)
        }
    }

    @inline(__always)
    func isSame(as other: [UInt8]) -> Bool {
        switch self {
        case .inMemory(let payload): payload.isSame(as: other)
        case .spilled(let payload): payload.mayBe(other) && bytes.isSame(as: other)
        }
    }
}

/// The place of a payload, with enough of its bytes to distinguish most other payloads without reading it.
final class SpilledPayload: Sendable {
    let place: UInt64
    let count: Int
    let store: any PayloadSpillStore
    private let ends: UInt64

    init(_ payload: [UInt8], _ place: UInt64, _ store: any PayloadSpillStore) {
        self.place = place
        count = payload.count
        self.store = store
        ends = Self.ends(of: payload)
    }

    func mayBe(_ other: [UInt8]) -> Bool { other.count == count && Self.ends(of: other) == ends }

    /// The first and the last four bytes.
    private static func ends(of payload: [UInt8]) -> UInt64 {
        (payload.prefix(4) + payload.suffix(4)).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Whether both are absent or both have equal payloads.
@inline(__always)
func areSame(_ first: KeptPayload?, _ second: [UInt8]?) -> Bool {
    switch (first, second) {
    case (let first?, let second?): first.isSame(as: second)
    case (nil, nil): true
    default: false
    }
}
