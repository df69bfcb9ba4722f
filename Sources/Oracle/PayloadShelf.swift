/// Where a validator that keeps the whole history puts payloads that memory has no room for. Safe from several threads.
public protocol PayloadShelf: Sendable {
    /// Puts a payload there and answers where it is; nil to have it kept in memory.
    func put(_ payload: [UInt8]) -> UInt64?
    /// The payload of `countBytes` bytes that was put at `place`. One that cannot be read is empty; whoever owns the shelf
    /// knows that it failed, and that nothing that was judged since then counts.
    func payload(at place: UInt64, countBytes: Int) -> [UInt8]
}

/// A payload as the validator keeps it.
enum KeptPayload: Sendable {
    case inMemory([UInt8])
    case shelved(ShelvedPayload)

    init(_ payload: [UInt8], on shelf: (any PayloadShelf)?) {
        if let shelf, let place = shelf.put(payload) {
            self = .shelved(ShelvedPayload(payload, place, shelf))
        } else {
            self = .inMemory(payload)
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .inMemory(let payload): payload
        case .shelved(let payload): payload.shelf.payload(at: payload.place, countBytes: payload.count)
        }
    }

    @inline(__always)
    func isSame(as other: [UInt8]) -> Bool {
        switch self {
        case .inMemory(let payload): payload.isSame(as: other)
        case .shelved(let payload): payload.mayBe(other) && bytes.isSame(as: other)
        }
    }
}

/// Where a payload is, and enough of it to tell most others apart.
final class ShelvedPayload: Sendable {
    let place: UInt64
    let count: Int
    let shelf: any PayloadShelf
    private let ends: UInt64

    init(_ payload: [UInt8], _ place: UInt64, _ shelf: any PayloadShelf) {
        self.place = place
        count = payload.count
        self.shelf = shelf
        ends = Self.ends(of: payload)
    }

    func mayBe(_ other: [UInt8]) -> Bool { other.count == count && Self.ends(of: other) == ends }

    /// The first and the last four bytes.
    private static func ends(of payload: [UInt8]) -> UInt64 {
        (payload.prefix(4) + payload.suffix(4)).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Whether two keys show the same: neither is there, or both are, with equal payloads.
@inline(__always)
func areSame(_ first: KeptPayload?, _ second: [UInt8]?) -> Bool {
    switch (first, second) {
    case (let first?, let second?): first.isSame(as: second)
    case (nil, nil): true
    default: false
    }
}
