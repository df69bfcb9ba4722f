/// The story of a failing crash or fault, as results and cases keep it: the operations around it and their fates, the
/// violation, and why it is possible. `Report` tells it (`Wording`).
///
/// Equal cases give equal stories.
package struct CrashStory: Hashable, Codable, Sendable {
    /// The fate of an event.
    package enum Fate: String, Hashable, Codable, Sendable {
        /// It was durable: by a barrier or by the profile.
        case durable
        /// It was unsynced, and this crash kept it.
        case survived
        case lost
        /// It survived in part.
        case torn
        /// A sync that succeeded.
        case synced
        /// A sync that failed, which guarantees nothing.
        case failed
        /// A sync that had not returned at the crash.
        case unfinished
        /// The workload sent a request to the store.
        case asked
        /// The store acknowledged a request: it must be durable from here on.
        case promised
        /// The store refused a request: it may have taken effect or not.
        case refused
        /// An injected fault.
        case injected
        /// Anything else.
        case other
    }

    /// A line of the timeline: one event, or several that are less important.
    package struct Moment: Hashable, Codable, Sendable {
        /// The crash points right after its first and last event.
        package var from: Int
        package var through: Int
        package var what: String
        package var fate: Fate
        /// Details of the fate: the lost part, or the error.
        package var detail: String?

        package init(from: Int, through: Int, what: String, fate: Fate, detail: String? = nil) {
            (self.from, self.through, self.what, self.fate, self.detail) = (from, through, what, fate, detail)
        }
    }

    /// How the store was observed after a fault without a crash.
    package enum ObservationMode: String, Hashable, Codable, Sendable {
        /// The files on storage, recovered by a new process.
        case storage
        /// The running store, with its memory and the kernel's cache.
        case live
    }

    /// nil for a crash.
    package var look: ObservationMode?
    /// The first crash, if this one was during the recovery from it. The timeline is then the one of the recovery.
    package var firstCrash: String?
    /// The violation in one sentence.
    package var headline: String
    package var profile: CrashProfile
    /// The number of events before the crash, or before the store was observed.
    package var crashPoint: Int
    package var timeline: [Moment]
    /// The expected values, and the value found after recovery.
    package var expected: String
    package var found: String
    /// The first difference between both, if both are values.
    package var difference: String?
    /// Why the losses are possible: one or two sentences for each kind of loss.
    package var reasons: [String]

    package init(
        look: ObservationMode?, headline: String, profile: CrashProfile, crashPoint: Int, timeline: [Moment],
        expected: String, found: String, difference: String?, reasons: [String]
    ) {
        (self.look, self.headline, self.profile, self.crashPoint) = (look, headline, profile, crashPoint)
        (self.timeline, self.expected, self.found) = (timeline, expected, found)
        (self.difference, self.reasons) = (difference, reasons)
    }

    /// Applies `change` to the text that comes from the store, which may contain paths of this machine.
    package func rewording(_ change: (String) -> String) -> CrashStory {
        var story = self
        story.found = change(found)
        return story
    }
}
