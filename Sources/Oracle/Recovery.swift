/// How a recovery ended: what one dump of a recover command says.
public enum Recovery: Hashable, Sendable {
    case opened(Observation)
    /// The store does not open: its own reason, or what is wrong with the dump.
    case failed(reason: String)
}
