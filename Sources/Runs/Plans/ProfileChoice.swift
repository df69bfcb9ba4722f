import Bytes
import Model

/// The value of `--profile`: the profiles under which states are derived.
package enum ProfileChoice: Hashable, Sendable {
    case one(Profile)
    /// Every profile in `Profile.filesystems`, the strongest first.
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
