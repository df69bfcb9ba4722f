import Bytes

/// How the operations of a history are ordered.
enum Order: Sendable {
    /// Any number of writers: an operation is before another if it was answered before the other began.
    case realTime
    /// One writer: operations take effect in begin order.
    case singleWriter
}

/// An operation that may be the last one on its key. Lines are oracle lines.
struct Version: Sendable {
    /// nil for an absent key.
    var kept: KeptPayload?
    var seq: UInt64
    /// The begin line; in a plain oracle the line of its acknowledgement.
    var begin: Int
    /// The line after which the operation cannot take effect any more: its answer, or the restart that ended it without
    /// one; `Int.max` while it is in flight.
    var closed: Int
    /// Whether it certainly took effect: acknowledged, or observed at a restart.
    var isCertain: Bool
    /// The unique id of its batch; 0 for none.
    var batch: Int

    /// The state before any operation.
    static let absent = Version(kept: nil, seq: 0, begin: 0, closed: 0, isCertain: true, batch: 0)

    /// The line for reports.
    var line: Int? { begin == 0 ? nil : isCertain ? closed : begin }

    var isInFlight: Bool { closed == .max }

    /// nil for an absent key. May read from the spill store; to test for absence use `kept`.
    var payload: [UInt8]? { kept?.bytes }

    /// Whether this operation, if it took effect, replaces `other` on the same key. Operations of one batch apply in
    /// begin order.
    @inline(__always)
    func replaces(_ other: Version, _ order: Order) -> Bool {
        switch order {
        case .realTime: begin > other.closed || (batch != 0 && batch == other.batch && begin > other.begin)
        case .singleWriter: begin > other.begin
        }
    }
}

/// Whether both are absent or both have equal payloads.
@inline(__always)
func areSame(_ first: [UInt8]?, _ second: [UInt8]?) -> Bool {
    switch (first, second) {
    case (let first?, let second?): first.isSame(as: second)
    case (nil, nil): true
    default: false
    }
}

/// Decides which of a key's operations may be the last one: all except those that a certain operation replaces.
struct LastWriteCandidates {
    private let order: Order
    private let lastCertainBegin: Int
    private let lastOfBatch: [Int: Int]

    init(_ versions: [Version], _ order: Order) {
        self.order = order
        lastCertainBegin = versions.lazy.filter(\.isCertain).map(\.begin).max() ?? 0
        lastOfBatch = order == .realTime ? versions.lastCertainBeginOfBatch : [:]
    }

    @inline(__always)
    func mayBeLast(_ version: Version) -> Bool {
        switch order {
        case .realTime: lastCertainBegin <= version.closed && lastOfBatch[version.batch] ?? 0 <= version.begin
        case .singleWriter: lastCertainBegin <= version.begin
        }
    }
}

extension [Version] {
    /// By batch, the latest begin line of its certain operations. Empty for a single version.
    var lastCertainBeginOfBatch: [Int: Int] {
        guard count > 1 else { return [:] }
        var last: [Int: Int] = [:]
        for version in self where version.isCertain && version.batch != 0 {
            last[version.batch] = Swift.max(last[version.batch] ?? 0, version.begin)
        }
        return last
    }

    /// Whether `payload` (nil: absent) is legal for the key.
    @inline(__always)
    func allow(_ payload: [UInt8]?, _ order: Order) -> Bool {
        if count == 1 { return areSame(self[0].kept, payload) }
        let succession = LastWriteCandidates(self, order)
        return contains { areSame($0.kept, payload) && succession.mayBeLast($0) }
    }

    /// The legal versions, for reports; certain ones first.
    func legal(_ order: Order) -> [Version] {
        let succession = LastWriteCandidates(self, order)
        let legal = filter(succession.mayBeLast)
        return legal.filter(\.isCertain) + legal.filter { !$0.isCertain }
    }

    /// Whether the key must exist, unless an operation with an unknown outcome deleted it.
    func isLive(_ order: Order) -> Bool {
        let succession = LastWriteCandidates(self, order)
        return !contains { $0.isCertain && $0.kept == nil && succession.mayBeLast($0) }
    }
}
