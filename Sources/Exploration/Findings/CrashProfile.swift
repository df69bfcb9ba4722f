import Model

/// The profile under which a crash shows something; there is none for what shows without a crash.
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

extension CrashProfile: Codable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        let name = try value.decode(String.self)
        if name == "\(CrashProfile.noCrash)" {
            self = .noCrash
        } else if let profile = Profile(rawValue: name) {
            self = .profile(profile)
        } else {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: "there is no profile \(name)")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(description)
    }
}
