import Exploration
import Model

/// The first crash, if a second one occurs during the recovery from it.
package enum FirstCrash: Sendable {
    /// After so many events of the explored run.
    ///
    /// - Parameter lost: a description of each lost effect.
    case explored(eventCount: Int, lost: [String])
    /// A live cut.
    ///
    /// - Parameter hit: what it hit, if that is known.
    case live(CutHit?, lost: [String])
    /// The description in a case.
    case told(String)
}

/// What a live power cut hit.
package enum CutHit: Sendable {
    /// It came after so many events of this recording.
    case event(Int, Recording)
    /// A rule cut the power at this operation.
    case operation(InjectedFault)
}
