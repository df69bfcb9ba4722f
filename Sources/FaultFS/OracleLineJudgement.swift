/// What the judge of a mount's oracle says of some text, given without its newline.
package enum OracleLineJudgement: Hashable, Sendable {
    /// It is a line of an oracle, whether or not its newline has come.
    case whole
    /// It is the beginning of a line; a later write may end it. `reason` says what is missing.
    case unfinished(reason: String)
    /// No line begins like this.
    case refused(reason: String)
}
