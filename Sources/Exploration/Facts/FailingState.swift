import Model
import Oracle

/// A state that breaks the contract, with all that is needed to tell how it came about.
package struct FailingState: Sendable {
    package var recording: Recording
    /// A state of the recording. Without a crash: the recorded state at the time when the store was observed.
    package var state: CrashState
    package var violation: Violation
    /// The number of oracle lines before the recording's first one, from earlier lives of the store.
    package var linesBefore: Int
    /// The faults that were injected into the run.
    package var faults: [InjectedFault]
    /// How the store was observed, if there was no crash.
    package var look: CrashStory.ObservationMode?

    package init(
        _ recording: Recording, _ state: CrashState, _ violation: Violation, linesBefore: Int,
        faults: [InjectedFault] = [], look: CrashStory.ObservationMode? = nil
    ) {
        self.recording = recording
        self.state = state
        self.violation = violation
        self.linesBefore = linesBefore
        self.faults = faults
        self.look = look
    }
}
