import Model

/// Finds out which barriers of a run are needed: leaves out those of one pattern, then derives and judges the crash states
/// of the changed run.
///
/// A pattern is needed if a state then fails for a cause that the unchanged run does not show. If none does, the changed run is
/// explored again with crashes during recovery. Patterns are left out one at a time: of two barriers that do the same work,
/// neither is needed.
package struct BarrierSearch {
    /// What the run shows without the barriers of a pattern.
    package enum Answer {
        /// Some state fails. `recording` holds `cause.state`: the changed run, or the trace of a recovery in it.
        case needed(cause: FoundCause, recording: Recording, isDuringRecovery: Bool)
        /// No state fails for a new cause.
        case notNeeded
        /// The time was up before a state failed.
        case outOfTime
    }

    package struct Result {
        package var pattern: BarrierPattern
        /// The number of barriers of the pattern.
        package var count: Int
        package var answer: Answer
        /// The number of states judged without them, counted once for each oracle position.
        package var decidedCount: Int
        /// Whether every legal state of the changed run was checked.
        package var isExhaustive: Bool
    }

    private let recording: Recording
    private let profile: Profile
    private let explorer: Explorer
    private let makeNested: (Recording) throws -> Explorer
    /// The causes that the unchanged run shows.
    private let known: [Cause]
    /// Those with crashes during recovery; nil until a pattern needs them.
    private var knownNested: [Cause]?

    /// - Parameters:
    ///   - explorer: one that has explored `recording`. It is left with another recording.
    ///   - known: all causes that it found.
    ///   - makeNested: makes an explorer of a recording that also crashes recoveries (depth 2) under `profile`. It must have
    ///     recovered nothing yet.
    package init(
        _ explorer: Explorer, _ recording: Recording, _ profile: Profile, known: [Cause],
        makeNested: @escaping (Recording) throws -> Explorer
    ) {
        self.explorer = explorer
        self.recording = recording
        self.profile = profile
        self.makeNested = makeNested
        self.known = known
    }

    /// The patterns of the run, in the order in which they first occur, with their number.
    package var patterns: [(pattern: BarrierPattern, count: Int)] { recording.barriers }

    /// Leaves out the barriers of a pattern. Throws if a recovery or a read fails.
    ///
    /// - Parameter shouldStop: called often; a reason ends the search for this pattern.
    package mutating func result(
        without pattern: BarrierPattern, shouldStop: @escaping () -> StopReason?
    ) throws -> Result {
        let edited = recording.removing(pattern)
        try explorer.begin(edited.recording, profile)
        var answer = try answer(of: explorer, edited.recording, besides: known, shouldStop)
        var result = Result(
            pattern: pattern, count: edited.count, answer: answer, decidedCount: explorer.counts.decided,
            isExhaustive: explorer.coverage.isExhaustive)
        guard case .notNeeded = answer else { return result }
        let known = try causesWithNestedCrashes(shouldStop)
        let nested = try makeNested(edited.recording)
        answer = try self.answer(of: nested, edited.recording, besides: known, shouldStop)
        result.answer = answer
        return result
    }

    private mutating func causesWithNestedCrashes(_ shouldStop: @escaping () -> StopReason?) throws -> [Cause] {
        if let knownNested { return knownNested }
        let nested = try makeNested(recording)
        try nested.run(shouldStop: shouldStop, progress: { _ in })
        let causes = nested.allCauses.map(\.cause)
        // If the time was up, the next pattern tries again.
        if nested.coverage.stopped == nil { knownNested = causes }
        return causes
    }

    private func answer(
        of explorer: Explorer, _ recording: Recording, besides known: [Cause],
        _ shouldStop: @escaping () -> StopReason?
    ) throws -> Answer {
        func isNew(_ found: FoundCause) -> Bool { !known.contains { found.cause.isGrouped(with: $0) } }
        try explorer.run(
            shouldStop: { explorer.allCauses.contains(where: isNew) ? .targetCauseFound : shouldStop() },
            progress: { _ in })
        if let cause = explorer.collector.causes.filter(isNew).min(by: { $0.state.isSmaller(than: $1.state) }) {
            return .needed(cause: cause, recording: recording, isDuringRecovery: false)
        }
        if let nested = explorer.nested.findings.first(where: { isNew($0.cause) }) {
            return .needed(cause: nested.cause, recording: nested.recording, isDuringRecovery: true)
        }
        return explorer.coverage.stopped == nil ? .notNeeded : .outOfTime
    }
}
