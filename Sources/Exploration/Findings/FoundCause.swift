import Model
import Oracle

/// A cause of failures, with the smallest state that reproduces it.
package struct FoundCause: Sendable {
    package var cause: Cause
    /// Derived under the strongest profile that allows it.
    package var state: CrashState
    package var violation: Violation
    package var losses: CrashLosses
    /// The number of oracle lines before the recording's first one, from earlier lives of the store.
    package var linesBefore: Int
    /// The number of states that fail for this cause.
    package var stateCount: Int
    /// The states beside it; empty if there was no time to recover them.
    package var neighbours: [Neighbour] = []
    /// The missing syncs; nil if they were not searched for.
    package var fix: BarrierFix?
    /// Whether the run was stopped before the state was fully minimised.
    package var isCutShort = false

    /// The state with all that is needed to tell how it came about.
    ///
    /// - Parameter recording: the one that the state was derived from.
    package func failingState(in recording: Recording) -> FailingState {
        FailingState(recording, state, violation, linesBefore: linesBefore)
    }
}

/// Causes that are reported as one finding (`Cause.isGrouped(with:)`).
package struct CauseGroup: Sendable {
    /// The cause with the smallest state.
    package private(set) var shown: FoundCause
    package private(set) var members: [FoundCause]

    package var stateCount: Int { members.reduce(0) { $0 + $1.stateCount } }

    private init(_ first: FoundCause) {
        shown = first
        members = [first]
    }

    private mutating func add(_ member: FoundCause) {
        members.append(member)
        // A state before the first acknowledgement does not represent one after it.
        let isLike = member.cause.hasAcknowledged == shown.cause.hasAcknowledged
        if isLike, member.state.isSmaller(than: shown.state) { shown = member }
    }

    /// Sets the fix of the cause that is shown.
    package mutating func setFix(_ fix: BarrierFix) { shown.fix = fix }

    /// The causes in groups, those with most states first.
    package static func groups(of causes: [FoundCause]) -> [CauseGroup] {
        var groups: [CauseGroup] = []
        // Causes during creation come last: they join the group of a later cause if they match one.
        for cause in causes.filter({ !$0.cause.failsDuringCreation }) + causes.filter(\.cause.failsDuringCreation) {
            let same = groups.firstIndex { group in
                group.members.contains { $0.cause.isGrouped(with: cause.cause) && $0.cause.error == cause.cause.error }
            }
            let index = same ?? groups.firstIndex { $0.shown.cause.isGrouped(with: cause.cause) }
            if let index { groups[index].add(cause) } else { groups.append(CauseGroup(cause)) }
        }
        // A stable sort.
        return groups.enumerated().sorted { ($1.element.stateCount, $0.offset) < ($0.element.stateCount, $1.offset) }
            .map(\.element)
    }
}
