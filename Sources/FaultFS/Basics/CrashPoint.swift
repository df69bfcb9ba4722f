/// The place of an automatic power cut: before or after the n-th event of a kind.
package struct CrashPoint: Hashable, Sendable {
    /// The kind that is counted, from 1.
    package enum Counted: String, Hashable, Sendable, CaseIterable {
        /// All events of the trace.
        case events
        case operations
        case barriers
        case oracleLines = "oracle-lines"
    }

    package enum Side: String, Hashable, Sendable, CaseIterable {
        /// The n-th one is requested and never takes effect.
        case before
        /// The n-th one takes effect and its caller sees success; nothing later takes effect. A barrier counts when it
        /// returns.
        case after
    }

    package var side: Side
    package var number: Int
    package var counted: Counted

    package init(_ side: Side, _ number: Int, _ counted: Counted) {
        self.side = side
        self.number = number
        self.counted = counted
    }
}
