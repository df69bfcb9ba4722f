import Bytes

/// How the operations of a history are ordered.
enum Order: Sendable {
    /// Any number of writers: one operation is before another if it was answered before the other began.
    case realTime
    /// One writer, whose operations take effect in the order in which they began.
    case singleWriter
}

/// One operation as a key's possible last one. Lines are those of the oracle.
struct Version: Sendable {
    /// Nil: the key is not there.
    var kept: KeptPayload?
    var seq: UInt64
    /// The line on which the operation began; in a plain oracle that of its acknowledgement.
    var begin: Int
    /// The line after which the operation can no longer take effect anew: its answer, or the restart that ended its
    /// life without one; `Int.max` while it is in flight.
    var closed: Int
    /// Acknowledged, or settled by an observation: the operation took effect. Otherwise it may have.
    var isCertain: Bool
    /// Which batch, counted over the whole oracle; 0 for none.
    var batch: Int

    /// The state before any operation.
    static let nothing = Version(kept: nil, seq: 0, begin: 0, closed: 0, isCertain: true, batch: 0)

    /// The line to name in a report.
    var line: Int? { begin == 0 ? nil : isCertain ? closed : begin }

    var isInFlight: Bool { closed == .max }

    /// Nil: the key is not there. Read from where it is kept; whether there is one is a question for `kept`.
    var payload: [UInt8]? { kept?.bytes }

    /// Whether this operation, if it took effect, leaves nothing of `other` on their key.
    ///
    /// Operations of one batch apply in the order of their begin lines.
    @inline(__always)
    func replaces(_ other: Version, _ order: Order) -> Bool {
        switch order {
        case .realTime: begin > other.closed || (batch != 0 && batch == other.batch && begin > other.begin)
        case .singleWriter: begin > other.begin
        }
    }
}

/// Whether two keys show the same: neither is there, or both are, with equal payloads.
@inline(__always)
func areSame(_ first: [UInt8]?, _ second: [UInt8]?) -> Bool {
    switch (first, second) {
    case (let first?, let second?): first.isSame(as: second)
    case (nil, nil): true
    default: false
    }
}

/// Which of a key's operations may be its last one: all but those that one which certainly took effect replaces.
struct Succession {
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
    /// By batch, where the certain operation of it began that began last; empty unless there are several certain ones.
    var lastCertainBeginOfBatch: [Int: Int] {
        guard count > 1 else { return [:] }
        var last: [Int: Int] = [:]
        for version in self where version.isCertain && version.batch != 0 {
            last[version.batch] = Swift.max(last[version.batch] ?? 0, version.begin)
        }
        return last
    }

    /// Whether `payload` (nil: no key) may be what the key holds.
    @inline(__always)
    func allow(_ payload: [UInt8]?, _ order: Order) -> Bool {
        if count == 1 { return areSame(self[0].kept, payload) }
        let succession = Succession(self, order)
        return contains { areSame($0.kept, payload) && succession.mayBeLast($0) }
    }

    /// What may be there, for reports; the certain ones first.
    func legal(_ order: Order) -> [Version] {
        let succession = Succession(self, order)
        let legal = filter(succession.mayBeLast)
        return legal.filter(\.isCertain) + legal.filter { !$0.isCertain }
    }

    /// Whether the key must be there unless an operation of open outcome removed it.
    func isLive(_ order: Order) -> Bool {
        let succession = Succession(self, order)
        return !contains { $0.isCertain && $0.kept == nil && succession.mayBeLast($0) }
    }
}
