import Model
import Oracle

/// A failing crash state to explain. Its expensive parts are computed on demand.
package struct Failure {
    package var symptom: Symptom
    package var crashPoint: Int
    /// The loss patterns, sorted.
    package var losses: [LossPattern]
    package var state: () -> CrashState
    /// The evidence of the state.
    package var evidence: () throws -> Evidence

    package init(
        _ symptom: Symptom, crashPoint: Int, losses: [LossPattern], state: @escaping () -> CrashState,
        evidence: @escaping () throws -> Evidence
    ) {
        self.symptom = symptom
        self.crashPoint = crashPoint
        self.losses = losses
        self.state = state
        self.evidence = evidence
    }
}
