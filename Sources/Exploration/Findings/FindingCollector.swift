import Model
import Oracle

/// Groups failing crash states by cause, and keeps the smallest state of each cause.
///
/// The cause of a state is known after it is minimised: by the losses of the smallest state with the same `Symptom`. To
/// minimise a million states would take days. So states with the same symptom and loss patterns form a group, and only the
/// states at the first, second, fourth, eighth … crash point of a group are minimised. The others are counted with the
/// causes found for these. States without a known cause are counted separately.
///
/// Not thread safe.
package struct FindingCollector {
    /// States with the same symptom and the same loss patterns.
    private struct Group {
        /// The number of distinct crash points.
        var pointCount = 0
        var lastPoint = -1
        var minimisedCount = 0
        /// The index of the cause for the states that are not minimised. A cause without losses, which belongs to its crash
        /// point, only if there is no other.
        var found: Int?

        private static let minimisedAtMost = 10

        /// Records a state. Returns whether it should be minimised.
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

    /// The most states to minimise for each check, and for each symptom.
    private static let minimisedAtMost = (ofCheck: 200, ofSymptom: 50)
    /// After this many hanging candidates no candidate is tried any more, because each costs the target's timeout.
    private static let hangingTriesAtMost = 3

    private let recording: Recording
    private let minimiser: Minimiser
    private let isDuringRecovery: Bool
    private let candidatesAtMost: Int
    private var groups: [GroupKey: Group] = [:]
    private var minimised: [Symptom: Int] = [:]
    private var candidates: [Symptom: Int] = [:]
    private var hangingTries = 0
    private let sets: RecentPendingSet
    /// The causes without losses, by crash point: any other state there fails for the same cause.
    private var failingWhole: [Moment: Int] = [:]
    package private(set) var causes: [FoundCause] = []
    /// The number of failing states without a known cause, because there were too many or the run was stopped.
    package private(set) var unexplained: [UnexplainedFailure: Int] = [:]
    /// States that failed in a persistent recover process but not in a fresh one. They are not findings.
    package private(set) var unconfirmedCount = 0
    /// The first unconfirmed states, and the first that failed with another symptom in a fresh process.
    package private(set) var contradictions: [Contradiction] = []

    /// - Parameter candidatesAtMost: after this many candidates no further state with the symptom is minimised. A store that
    ///   never syncs loses hundreds of writes in each state, and every state has another set of them.
    package init(_ recording: Recording, isDuringRecovery: Bool = false, candidatesAtMost: Int = 1500) {
        self.recording = recording
        self.candidatesAtMost = candidatesAtMost
        self.isDuringRecovery = isDuringRecovery
        minimiser = Minimiser(recording)
        sets = RecentPendingSet(recording)
    }

    /// Adds a failing state.
    ///
    /// - Parameter isOver: whether to stop: no further state is minimised.
    package mutating func add(
        _ state: CrashState, _ judgement: Judgement, _ checker: StateChecker, isOver: () -> Bool = { false }
    ) throws {
        guard let symptom = judgement.symptom else { return }
        let failure = Failure(
            symptom, crashPoint: state.crashPoint, losses: try sets.losses(of: state).patterns,
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
        guard let index = try explain(failure, checker, isOver) else { return }
        if group.found.map({ causes[$0].cause.losses.isEmpty }) ?? true { group.found = index }
    }

    private func hasTime(for symptom: Symptom) -> Bool {
        let ofCheck = minimised.reduce(0) { $0 + ($1.key.check == symptom.check ? $1.value : 0) }
        return ofCheck < Self.minimisedAtMost.ofCheck && minimised[symptom, default: 0] < Self.minimisedAtMost.ofSymptom
            && candidates[symptom, default: 0] < candidatesAtMost
    }

    /// Counts a state that is not minimised. False if it must be reported unminimised, because the run was stopped and its
    /// check has no finding yet.
    private mutating func count(_ failure: Failure, in group: Group, isOver: Bool) -> Bool {
        if let index = group.found ?? explanation(of: failure) {
            causes[index].stateCount += 1
        } else if group.minimisedCount > 0 {
            // Other states of the group did not fail in a fresh process.
            unconfirmedCount += 1
        } else if isOver, !causes.contains(where: { $0.cause.check == failure.symptom.check }) {
            return false
        } else {
            unexplained[UnexplainedFailure(failure.symptom, losses: failure.losses), default: 0] += 1
        }
        return true
    }

    /// The most specific known cause whose losses are a subset of this failure's.
    private func explanation(of failure: Failure) -> Int? {
        causes.indices.filter { index in
            let cause = causes[index].cause
            return cause == Cause(failure.symptom, losses: cause.losses, isDuringRecovery: isDuringRecovery)
                && cause.losses.isEmpty == failure.losses.isEmpty && cause.losses.allSatisfy(failure.losses.contains)
        }.max { causes[$0].cause.losses.count < causes[$1].cause.losses.count }
    }

    // MARK: - Minimising

    /// Minimises the state and counts it with its cause; nil if it does not fail in a fresh process.
    private mutating func explain(_ failure: Failure, _ checker: StateChecker, _ isOver: () -> Bool) throws -> Int? {
        let (state, symptom, minimiser) = (failure.state(), failure.symptom, minimiser)
        // Each hanging candidate would cost the timeout.
        let smallest =
            symptom.isHang
            ? try minimiser.underStrongestProfile(state)
            : try minimiser.minimise(state, isOver: isOver) { candidate in
                candidates[symptom, default: 0] += 1
                return try tryOut(candidate, checker) == symptom
            }
        let isCutShort = isOver()
        let index = try enter(smallest, for: failure, checker, isCutShort: isCutShort, isOver)
        if let index, causes[index].cause.losses.isEmpty, smallest.crashPoint == failure.crashPoint {
            failingWhole[Moment(symptom: symptom, crashPoint: failure.crashPoint)] = index
        }
        return index
    }

    /// The symptom of a candidate; nil if it does not fail, or is not tried because too many hung.
    private mutating func tryOut(_ state: CrashState, _ checker: StateChecker) throws -> Symptom? {
        guard hangingTries < Self.hangingTriesAtMost else { return nil }
        let symptom = try checker.check(state).symptom
        if symptom?.isHang == true { hangingTries += 1 }
        return symptom
    }

    /// The losses that are necessary for the check to fail with any error. A particular error may need more losses.
    private mutating func necessaryLosses(
        _ state: CrashState, _ symptom: Symptom, _ checker: StateChecker, _ isOver: () -> Bool
    ) throws -> [LossPattern] {
        var smallest = state
        if symptom.error != nil, !symptom.isHang {
            let minimiser = minimiser
            smallest = try minimiser.withFewerLosses(state, isOver) {
                candidates[symptom, default: 0] += 1
                let found = try tryOut($0, checker)
                return found?.check == symptom.check && found?.hasAcknowledged == symptom.hasAcknowledged
            }
        }
        return try recording.losses(of: smallest).patterns
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
            // The symptom in a fresh process may be different.
            guard judgement.symptom == failure.symptom else { return known }
            causes[known] = try found(
                smallest, judgement, losses, checker, stateCount: causes[known].stateCount, isCutShort: isCutShort)
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
            let found = try found(candidate, judgement, necessary, checker, stateCount: 1, isCutShort: isCutShort)
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

    /// Records a state whose evidence in a fresh process differs from `shown`.
    private mutating func contradict(_ state: CrashState, _ shown: Evidence, _ checker: StateChecker) throws {
        guard contradictions.count < Contradiction.keptAtMost else { return }
        contradictions.append(
            Contradiction(
                kind: .alone, state: state, first: shown, second: try checker.evidence(of: state.tree)))
    }

    private func found(
        _ state: CrashState, _ judgement: Judgement, _ losses: [LossPattern], _ checker: StateChecker,
        stateCount: Int, isCutShort: Bool
    ) throws -> FoundCause {
        let violation = judgement.violations[0]
        let symptom = judgement.symptom!
        return FoundCause(
            cause: Cause(symptom, losses: losses, isDuringRecovery: isDuringRecovery), state: state,
            violation: violation, losses: try recording.losses(of: state),
            linesBefore: judgement.line - state.oracleLineCount, stateCount: stateCount,
            neighbours: isCutShort ? [] : try neighbours(of: state, checker), isCutShort: isCutShort)
    }

    /// The states beside a finding, up to the first that hangs: each costs the target's timeout.
    private func neighbours(of state: CrashState, _ checker: StateChecker) throws -> [Neighbour] {
        guard !checker.hangs(state.tree) else { return [] }
        return try recording.neighbours(of: state) { neighbour in
            let judgement = try checker.checkUncounted(neighbour)
            return checker.hangs(neighbour.tree) ? nil : judgement
        }
    }
}
