/// When the power goes by itself.
package struct CrashPoint: Hashable, Sendable {
    /// What is counted, from 1.
    package enum Counted: String, Hashable, Sendable, CaseIterable {
        /// Events of the trace, whatever they are.
        case events
        case operations
        case barriers
        case oracleLines = "oracle-lines"
    }

    package enum Side: String, Hashable, Sendable, CaseIterable {
        /// The counted thing is asked for and never takes effect.
        case before
        /// It takes effect, and its caller sees it succeed; nothing after it does. For a barrier: once it returned.
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
