/// The kind of change that a crash loses.
public enum LossKind: String, CaseIterable, Hashable, Sendable, Codable {
    /// Written data, or the size that the write reached.
    case write
    /// The zeros of a punched hole, a zeroed range, or a truncated tail.
    case zeros
    /// A size set by truncate(2) or fallocate(2).
    case size
    /// A new name: create, link, rename.
    case name
    /// The removal of a name: unlink, rename.
    case removal
    /// Mode and owner.
    case attributes
    case extendedAttribute = "extended-attribute"
}

extension Effect {
    /// The kind of change that is lost with the effect.
    public var lossKind: LossKind {
        switch self {
        case .write(_, _, let data): data.isZeros ? .zeros : .write
        case .grow: .write
        case .zero: .zeros
        case .resize: .size
        case .name(_, nil): .removal
        case .name: .name
        case .attributes: .attributes
        case .extendedAttribute: .extendedAttribute
        }
    }
}
