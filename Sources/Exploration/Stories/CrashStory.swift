/// A failing crash or fault, told: what the store did around it, what became of that, what is wrong, and why it may happen.
///
/// The words are the same for the same case, whoever derives it.
package struct CrashStory: Hashable, Codable, Sendable {
    /// What became of something that the store did.
    package enum Fate: String, Hashable, Codable, Sendable {
        /// A barrier that returned, or the crash's profile, made it durable.
        case durable
        /// Nothing had made it durable, and this crash left it.
        case survived
        case lost
        /// Some of it is lost and some survived.
        case torn
        /// A sync that returned.
        case synced
        /// A sync that failed: it promises nothing.
        case failed
        /// Had not returned when the power went.
        case unfinished
        /// The workload asked the store for something.
        case asked
        /// The store acknowledged: from here on it must be there.
        case promised
        /// The store refused: it may be there or not.
        case refused
        /// A fault that was injected into the run.
        case injected
        /// Anything else.
        case other
    }

    /// A line of the timeline: one event, or several that are of less interest.
    package struct Moment: Hashable, Codable, Sendable {
        /// The crash points right after the first and the last event that it stands for.
        package var from: Int
        package var through: Int
        package var what: String
        package var fate: Fate
        /// More about its fate: which part is lost, which error.
        package var detail: String?
    }

    /// How a store was looked at that met a fault, and no crash.
    package enum FaultLook: String, Hashable, Codable, Sendable {
        /// What storage holds, recovered afresh.
        case storage
        /// The living store, as its processes and the kernel's cache had it.
        case live
    }

    /// Nil where a crash came.
    package var look: FaultLook?
    /// The crash before this one, where this one hit the recovery from it: the timeline is then the recovery's.
    package var firstCrash: String?
    /// What is wrong, in one sentence.
    package var headline: String
    package var profile: CrashProfile
    /// How many events had happened when the power went, or when the store was looked at.
    package var crashPoint: Int
    package var timeline: [Moment]
    /// What would have been right, and what was there after recovery.
    package var expected: String
    package var found: String
    /// Where the two first differ and what stands there, if both are values.
    package var difference: String?
    /// Why what was lost may be lost, a sentence or two for each kind of thing.
    package var reasons: [String]

    /// With `change` applied to what the store said for itself, in which there may be paths of the machine.
    package func rewording(_ change: (String) -> String) -> CrashStory {
        var story = self
        story.found = change(found)
        return story
    }
}
