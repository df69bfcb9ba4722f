import Bytes

/// What the history of a key says of one value (nil: the key's absence). Lines are those of the oracle.
///
/// The same fold runs in both memories of the validator: over operations as they stream past, when the observed value
/// is known beforehand, or over a kept history, when it is asked afterwards.
struct Recall: Sendable {
    /// Whether any operation ever named the key.
    private(set) var isKnown = false
    /// Whether the key was ever asked to hold the value.
    private(set) var isHeld = false
    /// The line on which an operation first asked for the value.
    private(set) var firstHeld = 0
    /// How many bytes at the value's start some other payload of the key has at its start.
    private var longestStart = 0
    /// How many bytes at the value's end some payload of the same size has at its end.
    private var longestEnd = 0

    /// The next operation on the key, in begin order, asks for `payload`.
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

    /// Whether the value, which was never held, is the start of one payload and the end of another, each in its place.
    func isMix(of value: [UInt8]) -> Bool {
        !isHeld && longestStart > 0 && longestEnd > 0 && longestStart + longestEnd >= value.count
    }

    /// As `note`, of a payload that differs from the value and has so many bytes in common with its start and, where
    /// the sizes are equal, with its end.
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
