/// The result of checking text that was appended to the oracle, without its newline.
package enum OracleLineJudgement: Hashable, Sendable {
    /// A complete line.
    case complete
    /// A partial line that a later write may complete. `reason` says what is missing.
    case partial(reason: String)
    /// Not a line, nor the beginning of one.
    case invalid(reason: String)
}
