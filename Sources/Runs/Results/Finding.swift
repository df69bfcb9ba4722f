import Bytes
import Exploration
import Model
import Oracle

/// One cause of contract violations, with the smallest state that shows it.
package struct Finding: Codable, Sendable {
    package var check: Check
    package var strongestProfile: CrashProfile
    /// Descriptions of the lost writes.
    package var lost: [String]
    package var story: String
    /// The number of states that failed for this cause.
    package var states: Int
    /// The case's directory.
    package var `case`: String?
    /// Why there is no case; nil if there is one.
    package var caseProblem: String?
    /// The command that recovers this crash state again, from the recorded trace.
    package var replay: String?
    /// The command that repeats the run and looks for the same cause, to verify a fix of the store.
    package var recheck: String?
    /// The kinds of lost writes and their files. Findings with equal kinds have the same cause.
    package var lossKinds: [String] = []
    /// The whole story, with its timeline; nil if there is no recording.
    package var account: CrashStory?
    /// True if the time was up before the state was fully minimised; nil otherwise.
    package var isCutShort: Bool?
    /// Why it is accepted (`known:` in the manifest or the matrix); nil if it is not.
    package var known: String?
    /// The confirmations on real filesystems; nil if none was attempted.
    package var confirmed: [Confirmation]?
    /// The check of the store that these states break, if they are the filesystem's because its device had failed before;
    /// nil otherwise. `check` is then `filesystem`.
    package var storeCheck: Check?
    /// Why it fails; nil if a live store failed other than by a broken check.
    package var cause: Cause?
    /// The missing syncs, or why none would help; nil if they were not searched for.
    package var fix: BarrierFix?
    /// The store's errors in these states, by kind, most frequent first; nil if there were none.
    package var errors: [ErrorCount]?

    package init(
        check: Check, strongestProfile: CrashProfile, lost: [String], story: String, states: Int,
        lossKinds: [String] = [], account: CrashStory? = nil, isCutShort: Bool? = nil
    ) {
        self.check = check
        self.strongestProfile = strongestProfile
        self.lost = lost
        self.story = story
        self.states = states
        self.lossKinds = lossKinds
        self.account = account
        self.isCutShort = isCutShort
    }

    /// One kind of error, and the number of states with it.
    package struct ErrorCount: Codable, Hashable, Sendable {
        /// The error text without its variable parts.
        package var pattern: TextPattern
        /// The error text of one of the states.
        package var text: String
        package var states: Int
    }
}

extension Finding {
    /// Whether the filesystem may have lost this because its device had failed before.
    package var followsDeviceFault: Bool { storeCheck != nil }

    /// Whether both are reported as one. A finding of an older version has no cause; then the check and the losses decide.
    package func isGrouped(with other: Finding) -> Bool {
        guard let cause, let theirs = other.cause else {
            return cause == nil && other.cause == nil && check == other.check && lossKinds == other.lossKinds
        }
        return cause.isGrouped(with: theirs)
    }

    package mutating func add(_ group: CauseGroup) {
        for member in group.members { add(member.cause, member.violation.error, states: member.stateCount) }
    }

    package mutating func add(_ cause: Cause, _ error: String?, states count: Int) {
        states += count
        guard let pattern = cause.error else { return }
        var errors = errors ?? []
        if let known = errors.firstIndex(where: { $0.pattern == pattern }) {
            errors[known].states += count
        } else {
            errors.append(ErrorCount(pattern: pattern, text: error ?? pattern.description, states: count))
        }
        self.errors = errors.enumerated().sorted { ($1.element.states, $0.offset) < ($0.element.states, $1.offset) }
            .map(\.element)
    }
}
