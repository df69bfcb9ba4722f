import Oracle

/// What a case shows: a check that is broken, or a state that shows different things when it is recovered twice.
package enum CaseCheck: Hashable, Sendable {
    case check(Check)
    case stability

    package var check: Check? { if case .check(let check) = self { check } else { nil } }
}

extension CaseCheck: CustomStringConvertible {
    package var description: String {
        switch self {
        case .check(let check): check.rawValue
        case .stability: "stability"
        }
    }
}

extension CaseCheck: Codable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        let name = try value.decode(String.self)
        if name == "\(CaseCheck.stability)" {
            self = .stability
        } else if let check = Check(rawValue: name) {
            self = .check(check)
        } else {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: "there is no check \(name)")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(description)
    }
}
