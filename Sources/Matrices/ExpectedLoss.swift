import Bytes
import Exploration
import Model
import Runs

/// What each finding of an expected violation must have lost, as the key `loss` of a matrix says: a kind of change and the
/// files that it was of, or the family of faults that the store met.
package enum ExpectedLoss: Hashable, Sendable {
    /// In its path `*` stands for anything.
    case change(LossPattern)
    case fault(FaultFamilyName)

    /// Nil for what is neither.
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
