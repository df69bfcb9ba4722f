import Bytes
import Model

/// The profile of a finding; `noCrash` for a finding without a crash.
package enum CrashProfile: Hashable, Sendable {
    case profile(Profile)
    case noCrash
}

extension CrashProfile: CustomStringConvertible {
    package var description: String {
        switch self {
        case .profile(let profile): profile.rawValue
        case .noCrash: "none"
        }
    }
}

extension CrashProfile: CodableByName {
    package static var kind: String { "profile" }

    package init?(named name: String) {
        if name == Self.noCrash.description {
            self = .noCrash
        } else if let profile = Profile(rawValue: name) {
            self = .profile(profile)
        } else {
            return nil
        }
    }
}
