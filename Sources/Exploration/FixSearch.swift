import Model

/// Finds the smallest set of additional syncs after which no state fails for a cause any more.
///
/// Each set is inserted into the trace, and the crash states of the changed run are derived and judged. Most of them are
/// states that the exploration has recovered before, so a set costs little more than deriving.
///
/// Tries single insertions first, those with the fewest syncs first, then one for each lost change together. A set is
/// dropped at the first state that still fails for the cause.
package struct FixSearch {
    private let explorer: Explorer
    private let recording: Recording
    private let shouldStop: () -> StopReason?
    private let profile: Profile
    private var triedCount = 0

    /// - Parameters:
    ///   - explorer: an explorer of `recording`. It is left with another recording.
    ///   - profile: the profile under which no state may fail; one that allows the states of the findings.
    package init(
        _ explorer: Explorer, _ recording: Recording, _ profile: Profile, shouldStop: @escaping () -> StopReason?
    ) {
        self.explorer = explorer
        self.recording = recording
        self.profile = profile
        self.shouldStop = shouldStop
    }

    /// An edit that may remove the failures.
    private struct Candidate {
        var barriers: [BarrierInsertion]
        var edited: EditedRecording
    }

    /// What the changed run shows.
    private enum Result {
        case mended(BarrierFix)
        case failing(FoundCause?)
        case outOfTime
    }

    /// The fix for a cause. Throws if a recovery or a read fails.
    package mutating func fix(for cause: Cause) throws -> BarrierFix {
        triedCount = 0
        guard !cause.losses.isEmpty else {
            return BarrierFix(profile: profile, obstacle: .nothingLost, triedCount: 0)
        }
        var remaining: FoundCause?
        for candidate in try candidates(for: cause.losses) {
            switch try evaluate(candidate, cause) {
            case .mended(let fix): return fix
            case .failing(let failing): remaining = failing ?? remaining
            case .outOfTime: return BarrierFix(profile: profile, obstacle: .noTime, triedCount: triedCount)
            }
        }
        let isTorn = try remaining.map { cause in
            let (set, _) = try explorer.recording.pendingSet(cause.state.profile, at: cause.state.crashPoint)
            return set.losses(set.survivors(.losing(cause.state.lost))).contains(where: \.isTorn)
        }
        return BarrierFix(
            profile: profile, obstacle: isTorn == true ? .tornWrite : .notAtomic, triedCount: triedCount)
    }

    /// Single insertions with the fewest syncs first, then all combinations of one for each lost change, likewise.
    private func candidates(for losses: [LossPattern]) throws -> [Candidate] {
        let choices = losses.map(BarrierInsertion.candidates)
        var combinations: [[BarrierInsertion]] = [[]]
        for choice in choices {
            combinations = combinations.flatMap { known in choice.map { known + [$0] } }
            guard combinations.count <= Self.combinationsAtMost else { break }
        }
        let singles = try candidates(choices.flatMap { $0.map { [$0] } })
        return losses.count == 1 ? singles : singles + (try candidates(combinations))
    }

    private static let combinationsAtMost = 27

    private func candidates(_ sets: [[BarrierInsertion]]) throws -> [Candidate] {
        var found: [Candidate] = []
        for set in sets {
            let edited = try recording.inserting(set)
            // A set that inserts nothing, or what another one inserts, shows nothing new.
            guard edited.count > 0 else { continue }
            found.append(Candidate(barriers: set, edited: edited))
        }
        return found.enumerated().sorted {
            ($0.element.edited.count, $0.offset) < ($1.element.edited.count, $1.offset)
        }.map(\.element)
    }

    private mutating func evaluate(_ candidate: Candidate, _ cause: Cause) throws -> Result {
        triedCount += 1
        try explorer.begin(candidate.edited.recording, profile)
        let explorer = explorer
        var isOutOfTime = false
        try explorer.run(
            shouldStop: {
                if let reason = shouldStop() {
                    isOutOfTime = true
                    return reason
                }
                return explorer.collector.causes.contains { $0.cause.isGrouped(with: cause) } ? .targetCauseFound : nil
            }, progress: { _ in })
        let same = explorer.collector.causes.first { $0.cause.isGrouped(with: cause) }
        if let same { return .failing(same) }
        if isOutOfTime || explorer.coverage.stopped != nil { return .outOfTime }
        return .mended(
            BarrierFix(
                candidate.barriers, insertedCount: candidate.edited.count, decidedCount: explorer.counts.decided,
                failingCount: explorer.counts.failing, isExhaustive: explorer.coverage.isExhaustive, profile: profile,
                triedCount: triedCount))
    }
}
