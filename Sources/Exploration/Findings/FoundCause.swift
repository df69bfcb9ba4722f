import Model
import Oracle

/// A cause of failures, with the smallest state that shows it.
package struct FoundCause: Sendable {
    package var cause: Cause
    /// Under the strongest profile that leaves it.
    package var state: CrashState
    package var violation: Violation
    package var loss: LossStory
    package var story: CrashStory
    /// How many states fail for it.
    package var stateCount: Int
    /// It was time to end before it was made as small as it gets.
    package var isCutShort = false

    /// The failure as one sentence: where the power went, what was lost, what is wrong.
    package var sentence: String {
        let lost = loss.lines.isEmpty ? "nothing" : loss.lines.joined(separator: "; ")
        let remark = isCutShort ? " (not made as small as it gets: the time was up)" : ""
        return "crash after event \(state.crashPoint); lost: \(lost); \(violation)\(remark)"
    }
}

/// Causes that are told as one finding: they differ in the words of errors alone (`Cause.isKin`).
package struct FoundKin: Sendable {
    /// The one with the smallest state.
    package private(set) var shown: FoundCause
    package private(set) var members: [FoundCause]

    package var stateCount: Int { members.reduce(0) { $0 + $1.stateCount } }

    private init(_ first: FoundCause) {
        shown = first
        members = [first]
    }

    private mutating func add(_ member: FoundCause) {
        members.append(member)
        // A state before anything was acknowledged does not stand for one after that.
        let isLike = member.cause.hasAcknowledged == shown.cause.hasAcknowledged
        if isLike, member.state.isSmaller(than: shown.state) { shown = member }
    }

    /// The causes in groups, those of most states first.
    package static func groups(of causes: [FoundCause]) -> [FoundKin] {
        var groups: [FoundKin] = []
        // Before anything was acknowledged a store may fail for what it fails for later, or for how it makes its files.
        for cause in causes.filter({ !$0.cause.isOfCreation }) + causes.filter(\.cause.isOfCreation) {
            let same = groups.firstIndex { group in
                group.members.contains { $0.cause.isKin(of: cause.cause) && $0.cause.error == cause.cause.error }
            }
            let place = same ?? groups.firstIndex { $0.shown.cause.isKin(of: cause.cause) }
            if let place { groups[place].add(cause) } else { groups.append(FoundKin(cause)) }
        }
        // Equal ones stay in their order.
        return groups.enumerated().sorted { ($1.element.stateCount, $0.offset) < ($0.element.stateCount, $1.offset) }
            .map(\.element)
    }
}
