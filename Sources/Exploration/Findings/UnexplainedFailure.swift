import Model
import Oracle

/// Failing states that were not minimised and have no known cause: all that is known of how they fail.
package struct UnexplainedFailure: Hashable, Sendable {
    package var symptom: Symptom
    /// What they lost; perhaps a part of it suffices for the failure. nil if it is unknown.
    package var losses: [LossPattern]?

    package init(_ symptom: Symptom, losses: [LossPattern]?) {
        (self.symptom, self.losses) = (symptom, losses)
    }
}
