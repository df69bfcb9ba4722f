import Bytes
import Exploration
import Model
import Runs

/// The cause that every finding of an expected violation must have, from the key `loss` of a matrix: a kind of lost
/// change with a path pattern, or a family of injected faults.
package enum ExpectedLoss: Hashable, Sendable {
    /// A lost change. In its path `*` matches any text.
    case change(LossPattern)
    case fault(FaultFamilyName)

    /// nil if the text is neither.
    package init?(named text: String) {
        if let family = FaultFamilyName(rawValue: text) {
            self = .fault(family)
        } else if let pattern = LossPattern(parsing: text) {
            self = .change(pattern)
        } else {
            return nil
        }
    }

    package func isMet(by finding: Finding) -> Bool {
        guard let cause = finding.cause else { return finding.lossKinds.contains(description) }
        return switch self {
        case .change(let pattern): cause.losses.contains(where: pattern.covers)
        case .fault(let family): cause.fault == family
        }
    }
}

extension ExpectedLoss: CustomStringConvertible {
    package var description: String {
        switch self {
        case .change(let pattern): pattern.description
        case .fault(let family): family.rawValue
        }
    }
}

extension ExpectedLoss: CodableByName {
    package static var kind: String { "loss" }
}
