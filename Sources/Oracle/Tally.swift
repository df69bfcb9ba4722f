/// Counters over the whole history up to some line.
struct Tally: Sendable {
    var line = 0
    var acknowledged = 0
    /// Whether the oracle has intents; nil before the first operation.
    var hasIntents: Bool?
    /// The latest begin line of an acknowledged operation.
    var lastCertainBegin = 0
    /// The first line that acknowledges an operation after one that began later: the sign of several writers.
    var outOfOrder: Int?
    /// The unobserved restarts since the last observed one, as indexes into `Validator.restarts`.
    var restarts = 0..<0
}
