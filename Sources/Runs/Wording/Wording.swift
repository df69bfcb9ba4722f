import Bytes
import Exploration
import Oracle

/// Formats the facts of a run as text, for its result and its cases.
///
/// Runs, scenarios and cases hold facts. `Report` implements this protocol, and the caller that starts a run passes it
/// in. Only self-descriptions remain below: an error's description, a scenario's summary and help.
package protocol Wording: Sendable {
    /// The story of a state that breaks the contract: its timeline, and why it is possible.
    func story(of failing: FailingState) throws -> CrashStory
    /// The finding in one sentence.
    func words(for fact: FindingFact) -> String
    /// How a store misbehaved under a fault.
    func words(for fact: FaultFact) -> String
    func words(for detail: FaultDetail) -> String
    func words(for crash: FirstCrash) -> String
    func words(for hit: CutHit) -> String
    /// Why the verdict is not a pass.
    func words(for reason: VerdictReason) -> String
    func words(for obstacle: Obstacle) -> String
    func words(for coverage: Coverage) -> String
    /// The line of a soak for one interval.
    func words(for point: SoakResult.Point) -> String
    /// The missing syncs, or why none would help.
    func words(for fix: BarrierFix) -> String
    /// Explains violations in a fault-free run, and where to look.
    ///
    /// - Parameter oracle: the file that lines are quoted from.
    func diagnosis(of violations: [Violation], oracle: ByteString) -> String
}
