import Bytes
import Model

/// Under which profiles states are derived, as `--profile` says.
package enum ProfileChoice: Hashable, Sendable {
    case one(Profile)
    /// Every one of `Profile.filesystems`, from the strongest on.
    case every

    package static let everyName = "all"

    package init?(named name: String) {
        if name == Self.everyName {
            self = .every
        } else if let profile = Profile(rawValue: name) {
            self = .one(profile)
        } else {
            return nil
        }
    }

    package var name: String {
        switch self {
        case .one(let profile): profile.rawValue
        case .every: Self.everyName
        }
    }
}

extension ProfileChoice: CodableByName {
    package static var kind: String { "profile" }
    package var description: String { name }
}
