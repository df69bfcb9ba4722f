/// What kind of change a crash loses.
public enum LossKind: String, CaseIterable, Hashable, Sendable, Codable {
    /// Data that was written, or the size that the write reached.
    case write
    /// Zeros of a punched hole, of a zeroed range, or behind the end of a file that was cut.
    case zeros
    /// The size that truncate(2) or fallocate(2) set.
    case size
    /// A name that was given.
    case name
    /// A name that was taken away.
    case removal
    /// Mode and owner.
    case attributes
    case extendedAttribute = "extended-attribute"
}

extension Effect {
    /// What kind of change is lost with it.
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
