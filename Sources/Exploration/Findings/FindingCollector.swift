import Model
import Oracle

/// Gathers failing crash states by their causes, each with its smallest state.
///
/// What a state fails for is what its smallest form lost, and it is made smaller only as long as it fails in the same way
/// (`Symptom`). To do that for each of a million states would take days. So states that fail in one way and lost the same
/// kinds of changes are one group, and of each group the states at the first, second, fourth, eighth … crash point are made
/// smaller; the others are counted with what those have shown. States that nothing explains are counted apart.
///
/// Not thread safe.
package struct FindingCollector {
    /// States that fail in one way and lost the same kinds of changes.
    private struct Group {
        /// Distinct crash points at which there was one.
        var pointCount = 0
        var lastPoint = -1
        var minimisedCount = 0
        /// The cause that explains those that are not made smaller. One of a state that had lost nothing only where there
        /// is no other: it belongs to its crash point.
        var found: Int?

        private static let minimisedAtMost = 10

        /// Takes note of a state; true when it is worth the time to make it smaller.
        mutating func note(_ crashPoint: Int) -> Bool {
            guard crashPoint != lastPoint else { return false }
            pointCount += 1
            lastPoint = crashPoint
            return pointCount & (pointCount - 1) == 0 && minimisedCount < Self.minimisedAtMost
        }
    }

    private struct GroupKey: Hashable {
        var symptom: Symptom
        var losses: [LossPattern]
    }

    private struct Moment: Hashable {
        var symptom: Symptom
        var crashPoint: Int
    }

    /// So many states are made smaller of each check, and of those that fail in one way.
    private static let minimisedAtMost = (ofCheck: 200, ofSymptom: 50)
    /// After so many smaller states that hung none is tried any more: each costs the target's timeout.
    private static let hangingTriesAtMost = 3

    private let recording: Recording
    private let minimiser: Minimiser
    private let isDuringRecovery: Bool
    private var groups: [GroupKey: Group] = [:]
    private var minimised: [Symptom: Int] = [:]
    private var hangingTries = 0
    /// Where a state fails that had lost nothing: whatever else one lost there, it fails for the same.
    private var failingWhole: [Moment: Int] = [:]
    package private(set) var causes: [FoundCause] = []
    /// Failing states of which no cause is known: there were too many, or it was time to end.
    package private(set) var unexplained: [Check: Int] = [:]
    /// States that failed in a persistent recover process and not in a fresh one: no finding is made of them.
    package private(set) var unconfirmedCount = 0
    /// The first of them, and of those that failed in another way there.
    package private(set) var contradictions: [Contradiction] = []

    package init(_ recording: Recording, isDuringRecovery: Bool = false) {
        self.recording = recording
        self.isDuringRecovery = isDuringRecovery
        minimiser = Minimiser(recording)
    }

    /// Adds a state that `judgement` says is wrong.
    ///
    /// - Parameter isOver: it is time to end: nothing is made smaller any more.
    package mutating func add(
        _ state: CrashState, _ judgement: Judgement, _ checker: StateChecker, isOver: () -> Bool = { false }
    ) throws {
        guard let symptom = judgement.symptom else { return }
        let failure = Failure(
            symptom, crashPoint: state.crashPoint, losses: try recording.story(of: state).patterns,
            state: { state }, evidence: { try checker.evidence(of: state.tree) })
        try add(failure, checker, isOver: isOver)
    }

    package mutating func add(_ failure: Failure, _ checker: StateChecker, isOver: () -> Bool = { false }) throws {
        let moment = Moment(symptom: failure.symptom, crashPoint: failure.crashPoint)
        if let known = failingWhole[moment] {
            causes[known].stateCount += 1
            return
        }
        let key = GroupKey(symptom: failure.symptom, losses: failure.losses)
        var group = groups[key] ?? Group()
        defer { groups[key] = group }
        let isWorthIt = group.note(failure.crashPoint) && hasTime(for: failure.symptom) && !isOver()
        if !isWorthIt, count(failure, in: group, isOver: isOver()) { return }
        group.minimisedCount += 1
        minimised[failure.symptom, default: 0] += 1
        guard let place = try explain(failure, checker, isOver) else { return }
        if group.found.map({ causes[$0].cause.losses.isEmpty }) ?? true { group.found = place }
    }

    private func hasTime(for symptom: Symptom) -> Bool {
        let ofCheck = minimised.reduce(0) { $0 + ($1.key.check == symptom.check ? $1.value : 0) }
        return ofCheck < Self.minimisedAtMost.ofCheck && minimised[symptom, default: 0] < Self.minimisedAtMost.ofSymptom
    }

    /// Counts a state that is not made smaller. False where it must be shown as it is: it is time to end, and nothing was
    /// shown of its check.
    private mutating func count(_ failure: Failure, in group: Group, isOver: Bool) -> Bool {
        if let place = group.found ?? explanation(of: failure) {
            causes[place].stateCount += 1
        } else if group.minimisedCount > 0 {
            // Its like did not fail in a fresh process.
            unconfirmedCount += 1
        } else if isOver, !causes.contains(where: { $0.cause.check == failure.symptom.check }) {
            return false
        } else {
            unexplained[failure.symptom.check, default: 0] += 1
        }
        return true
    }

    /// The most special known cause whose losses are all among this failure's.
    private func explanation(of failure: Failure) -> Int? {
        causes.indices.filter { place in
            let cause = causes[place].cause
            return cause == Cause(failure.symptom, losses: cause.losses, isDuringRecovery: isDuringRecovery)
                && cause.losses.isEmpty == failure.losses.isEmpty && cause.losses.allSatisfy(failure.losses.contains)
        }.max { causes[$0].cause.losses.count < causes[$1].cause.losses.count }
    }

    // MARK: - Making smaller

    /// Makes the state smaller and counts it with its cause; nil when it does not fail in a fresh process.
    private mutating func explain(_ failure: Failure, _ checker: StateChecker, _ isOver: () -> Bool) throws -> Int? {
        let (state, symptom, minimiser) = (failure.state(), failure.symptom, minimiser)
        // To try smaller states that hang would cost the timeout each.
        let smallest =
            symptom.isHang
            ? try minimiser.underStrongestProfile(state)
            : try minimiser.minimise(state, isOver: isOver) { try tryOut($0, checker) == symptom }
        let isCutShort = isOver()
        let place = try enter(smallest, for: failure, checker, isCutShort: isCutShort, isOver)
        if let place, causes[place].cause.losses.isEmpty, smallest.crashPoint == failure.crashPoint {
            failingWhole[Moment(symptom: symptom, crashPoint: failure.crashPoint)] = place
        }
        return place
    }

    /// How a smaller state fails; nil when it does not, or is not tried because too many hung.
    private mutating func tryOut(_ state: CrashState, _ checker: StateChecker) throws -> Symptom? {
        guard hangingTries < Self.hangingTriesAtMost else { return nil }
        let symptom = try checker.check(state).symptom
        if symptom?.isHang == true { hangingTries += 1 }
        return symptom
    }

    /// What must be lost for the check to break, whatever the store says then: more may be lost in a state of which it
    /// says something of its own.
    private mutating func necessaryLosses(
        _ state: CrashState, _ symptom: Symptom, _ checker: StateChecker, _ isOver: () -> Bool
    ) throws -> [LossPattern] {
        var smallest = state
        if symptom.error != nil, !symptom.isHang {
            let minimiser = minimiser
            smallest = try minimiser.losingLess(state, isOver) {
                let found = try tryOut($0, checker)
                return found?.check == symptom.check && found?.hasAcknowledged == symptom.hasAcknowledged
            }
        }
        return try recording.story(of: smallest).patterns
    }

    private mutating func enter(
        _ smallest: CrashState, for failure: Failure, _ checker: StateChecker, isCutShort: Bool, _ isOver: () -> Bool
    ) throws -> Int? {
        let losses = try necessaryLosses(smallest, failure.symptom, checker, isOver)
        let cause = Cause(failure.symptom, losses: losses, isDuringRecovery: isDuringRecovery)
        if let known = causes.firstIndex(where: { $0.cause == cause }) {
            causes[known].stateCount += 1
            guard smallest.isSmaller(than: causes[known].state) else { return known }
            let judgement = try checker.confirm(smallest)
            // What a fresh process shows may be another thing.
            guard judgement.symptom == failure.symptom else { return known }
            causes[known] = try found(
                smallest, judgement, losses, stateCount: causes[known].stateCount, isCutShort: isCutShort)
            return known
        }
        let state = failure.state()
        for candidate in [smallest, state] {
            let shown = candidate.tree == state.tree ? try failure.evidence() : try checker.evidence(of: candidate.tree)
            let judgement = try checker.confirm(candidate)
            guard let symptom = judgement.symptom else { continue }
            if symptom != failure.symptom { try contradict(candidate, shown, checker) }
            let necessary =
                symptom == failure.symptom && candidate.lost == smallest.lost
                ? losses : try necessaryLosses(candidate, symptom, checker, isOver)
            let found = try found(candidate, judgement, necessary, stateCount: 1, isCutShort: isCutShort)
            if let known = causes.firstIndex(where: { $0.cause == found.cause }) {
                causes[known].stateCount += 1
                return known
            }
            causes.append(found)
            return causes.count - 1
        }
        unconfirmedCount += 1
        try contradict(state, try failure.evidence(), checker)
        return nil
    }

    /// Keeps what a state showed, and what it showed in a fresh process after that.
    private mutating func contradict(_ state: CrashState, _ shown: Evidence, _ checker: StateChecker) throws {
        guard contradictions.count < Contradiction.keptAtMost else { return }
        contradictions.append(
            Contradiction(
                kind: .alone, state: state, first: shown, second: try checker.evidence(of: state.tree)))
    }

    private func found(
        _ state: CrashState, _ judgement: Judgement, _ losses: [LossPattern], stateCount: Int, isCutShort: Bool
    ) throws -> FoundCause {
        let violation = judgement.violations[0]
        let symptom = judgement.symptom!
        return FoundCause(
            cause: Cause(symptom, losses: losses, isDuringRecovery: isDuringRecovery), state: state,
            violation: violation, loss: try recording.story(of: state),
            story: try recording.story(of: state, violation, linesBefore: judgement.line - state.oracleLineCount),
            stateCount: stateCount, isCutShort: isCutShort)
    }
}
