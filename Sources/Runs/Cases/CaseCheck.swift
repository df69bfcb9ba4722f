import Bytes
import Oracle

/// What a case demonstrates: a broken check, or a state whose recoveries give different results.
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

extension CaseCheck: CodableByName {
    package static var kind: String { "check" }

    package init?(named name: String) {
        if name == Self.stability.description {
            self = .stability
        } else if let check = Check(rawValue: name) {
            self = .check(check)
        } else {
            return nil
        }
    }
}
