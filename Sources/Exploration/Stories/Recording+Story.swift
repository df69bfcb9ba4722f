import Model
import Oracle

extension Recording {
    /// The story of `state`, which breaks the contract with `violation`.
    ///
    /// - Parameters:
    ///   - linesBefore: the number of oracle lines before this recording's first one.
    ///   - faults: the faults that were injected into the run.
    ///   - look: how the store was observed, if there was no crash; `state` is then the recorded state at that time.
    package func story(
        of state: CrashState, _ violation: Violation, linesBefore: Int, faults: [InjectedFault] = [],
        look: CrashStory.FaultLook? = nil
    ) throws -> CrashStory {
        try Storyteller(self, state, violation, linesBefore: linesBefore, faults: faults, look: look).tell()
    }
}
