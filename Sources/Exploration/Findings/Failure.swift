import Model
import Oracle

/// A failing crash state that has to be explained. What takes time to make is made when it is needed.
package struct Failure {
    package var symptom: Symptom
    package var crashPoint: Int
    /// What kinds of changes it lost, in order.
    package var losses: [LossPattern]
    package var state: () -> CrashState
    /// What it showed.
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
