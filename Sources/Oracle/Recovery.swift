/// How a recovery ended: what one dump of a recover command says.
public enum Recovery: Hashable, Sendable {
    case opened(Observation)
    /// The store does not open: its own reason, or what is wrong with the dump.
    case failed(reason: String)
    /// The filesystem beneath the store is broken, in the words of its own programs: nothing is said of the store.
    case filesystemBroken(reason: String)
    /// It did not end within this time, and was killed.
    case hung(afterSeconds: Int)

    /// Why the store is not open; nil when it is.
    public var failure: String? {
        switch self {
        case .opened: nil
        case .failed(let reason): reason
        case .filesystemBroken(let reason): "the filesystem is broken: \(reason)"
        case .hung(let seconds): "hangs in recovery: no end within \(seconds) s"
        }
    }

    public var isHung: Bool { if case .hung = self { true } else { false } }
}
