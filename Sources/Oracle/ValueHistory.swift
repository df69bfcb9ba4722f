import Bytes

/// The relation of one value (nil: absence) to the history of its key. Lines are oracle lines.
///
/// Both memory modes of the validator compute it with the same fold: over the stream of operations, if the observed
/// value is known in advance, or over the stored history.
struct ValueHistory: Sendable {
    /// Whether any operation ever named the key.
    private(set) var isKnown = false
    /// Whether the key ever had the value.
    private(set) var isHeld = false
    /// The line of the first operation with the value.
    private(set) var firstHeld = 0
    /// The longest prefix that the value shares with another payload of the key.
    private var longestStart = 0
    /// The longest suffix that the value shares with another payload of the same size.
    private var longestEnd = 0

    /// Adds the key's next operation, in begin order.
    mutating func note(_ payload: [UInt8]?, at line: Int, for value: [UInt8]?) {
        isKnown = true
        if areSame(payload, value) {
            if !isHeld { firstHeld = line }
            isHeld = true
            return
        }
        guard !isHeld, let payload, let value else { return }
        compare(payload, value)
    }

    /// Whether the key never had the value, and it is the start of one payload and the end of another, at their
    /// offsets.
    func isMix(of value: [UInt8]) -> Bool {
        !isHeld && longestStart > 0 && longestEnd > 0 && longestStart + longestEnd >= value.count
    }

    /// Like `note`, for a different payload with known lengths of the shared prefix and (for equal sizes) suffix.
    @inline(__always)
    mutating func noteOther(sharedStart: Int, sharedEnd: Int) {
        isKnown = true
        longestStart = max(longestStart, sharedStart)
        longestEnd = max(longestEnd, sharedEnd)
    }

    private mutating func compare(_ payload: [UInt8], _ value: [UInt8]) {
        let shared = min(payload.count, value.count)
        var start = 0
        while start < shared && payload[start] == value[start] { start += 1 }
        var end = 0
        if payload.count == value.count {
            while end < shared && payload[shared - 1 - end] == value[shared - 1 - end] { end += 1 }
        }
        noteOther(sharedStart: start, sharedEnd: end)
    }
}
