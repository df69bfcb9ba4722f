/// What the validator knows of the history as a whole, after some line.
struct Tally: Sendable {
    var line = 0
    var acknowledged = 0
    /// Nil before the first operation says whether the oracle has intents.
    var hasIntents: Bool?
    /// Where the acknowledged operation that began last began.
    var lastCertainBegin = 0
    /// Where an acknowledgement came before that of an operation begun earlier: the mark of several writers.
    var outOfOrder: Int?
    /// The restarts since the last one that an observation settled, as places in `Validator.restarts`: each began a life of
    /// the store that nobody saw.
    var restarts = 0..<0
}
