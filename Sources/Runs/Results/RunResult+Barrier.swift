import Exploration
import Model
import Oracle

extension RunResult {
    /// The barriers of a pattern, and whether any crash state needs them.
    package struct Barrier: Codable, Sendable, Equatable {
        package enum Need: String, Codable, Sendable {
            /// Without them some crash state fails.
            case needed
            /// Without them a crash during recovery makes the store fail.
            case neededInRecovery = "needed-in-recovery"
            case notNeeded = "not-needed"
            /// The time was up before a state failed.
            case undecided
        }

        /// The call, and the files or directories that it syncs.
        package var pattern: BarrierPattern
        /// How often the run makes it.
        package var count: Int
        package var need: Need
        /// The check that the smallest failing state breaks, what it lost, and its story; nil unless they are needed.
        package var check: Check?
        package var lost: [String]?
        package var story: String?
        /// The number of states judged without them, counted once for each oracle position.
        package var decided: Int
        /// Whether every legal crash state of the run without them was checked.
        package var isExhaustive: Bool

        package init(pattern: BarrierPattern, count: Int, need: Need, decided: Int, isExhaustive: Bool) {
            self.pattern = pattern
            self.count = count
            self.need = need
            self.decided = decided
            self.isExhaustive = isExhaustive
        }
    }

    /// What is known of the barriers of a run.
    package struct Barriers: Codable, Sendable, Equatable {
        /// The profile under which the states were derived.
        package var profile: Profile
        /// In the order in which they first occur in the run.
        package var patterns: [Barrier]

        package init(_ profile: Profile, _ patterns: [Barrier]) {
            self.profile = profile
            self.patterns = patterns
        }
    }
}
