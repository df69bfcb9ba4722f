/// The result of a recovery, as one dump of a recover command gives it.
public enum Recovery: Hashable, Sendable {
    case opened(Observation)
    /// The store does not open, with its own reason or the error in its dump.
    case failed(reason: String)
    /// The filesystem beneath the store is broken, with the messages of its own tools. Not a result for the store.
    case filesystemBroken(reason: String)
    /// It did not end within this time and was killed.
    case hung(afterSeconds: Int)

    /// Why the store did not open; nil when it did.
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
