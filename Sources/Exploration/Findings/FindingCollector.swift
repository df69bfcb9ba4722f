import Model
import Oracle

/// Gathers failing crash states into findings: one for each cause, with its smallest state.
///
/// The cause of a failure is the check that broke and which kinds of things the minimised state had lost, of which
/// files: four hundred failing states of a store that never syncs its directory are one finding.
package struct FindingCollector {
    package struct Cause: Sendable {
        package var check: Check
        /// The smallest state of this cause, under the strongest profile that leaves it.
        package var state: CrashState
        package var violation: Violation
        package var loss: LossStory
        package var story: CrashStory
        package var stateCount: Int
        /// It was time to end before it was made as small as it gets.
        package var isCutShort = false
    }

    /// Of each check: failing states beyond this many are counted with the first cause that broke it, and not minimised.
    private static let minimisedAtMost = 50

    private let recording: Recording
    private let minimiser: Minimiser
    private var minimisedCounts: [Check: Int] = [:]
    package private(set) var causes: [Cause] = []
    /// States that failed in a persistent recover process and not in a fresh one: nothing is reported of them.
    package private(set) var unconfirmedCount = 0

    package init(_ recording: Recording) {
        self.recording = recording
        minimiser = Minimiser(recording)
    }

    /// Adds a state that `judgement` says is wrong.
    ///
    /// - Parameter isOver: it is time to end: nothing is made smaller any more.
    package mutating func add(
        _ state: CrashState, _ judgement: Judgement, _ checker: StateChecker, isOver: () -> Bool = { false }
    ) throws {
        guard let check = judgement.broken.first else { return }
        minimisedCounts[check, default: 0] += 1
        if minimisedCounts[check, default: 0] > Self.minimisedAtMost || isOver(),
            let known = causes.firstIndex(where: { $0.check == check })
        {
            causes[known].stateCount += 1
            return
        }
        // To try smaller states that hang would cost the timeout each.
        let smallest =
            checker.hangs(state.tree)
            ? try minimiser.underStrongestProfile(state)
            : try minimiser.minimise(state, isOver: isOver) {
                try checker.hangingCount < 3 && checker.check($0).broken.first == check
            }
        let isCutShort = isOver()
        if let known = index(of: check, try recording.story(of: smallest)) {
            causes[known].stateCount += 1
            guard smallest.isSmaller(than: causes[known].state),
                let (proven, judgement) = try confirmed([smallest], checker)
            else { return }
            var cause = try cause(proven, judgement, stateCount: causes[known].stateCount)
            cause.isCutShort = isCutShort
            // What a fresh process shows may be another thing.
            if self.index(of: cause.check, cause.loss) == known { replace(known, by: cause) }
        } else if let (proven, judgement) = try confirmed([smallest, state], checker) {
            var cause = try cause(proven, judgement, stateCount: 1)
            cause.isCutShort = isCutShort
            if let known = index(of: cause.check, cause.loss) {
                causes[known].stateCount += 1
            } else {
                causes.append(cause)
            }
        } else {
            unconfirmedCount += 1
        }
    }

    /// The cause of a failure of this check that loses such things. What fails though nothing is lost does not fail for
    /// what else is lost: that is one cause.
    private func index(of check: Check, _ loss: LossStory) -> Int? {
        causes.firstIndex {
            $0.check == check
                && ($0.loss.patterns == loss.patterns || $0.loss.patterns.isEmpty || loss.patterns.isEmpty)
        }
    }

    /// Puts a smaller state of the same cause in its place, and folds into it what has turned out to be this cause, too.
    private mutating func replace(_ index: Int, by cause: Cause) {
        causes[index] = cause
        guard cause.loss.patterns.isEmpty else { return }
        for other in causes.indices.reversed() where other > index && causes[other].check == cause.check {
            causes[index].stateCount += causes[other].stateCount
            causes.remove(at: other)
        }
    }

    private func cause(_ state: CrashState, _ judgement: Judgement, stateCount: Int) throws -> Cause {
        let violation = judgement.violations[0]
        return Cause(
            check: violation.check, state: state, violation: violation, loss: try recording.story(of: state),
            story: try recording.story(of: state, violation, linesBefore: judgement.line - state.oracleLineCount),
            stateCount: stateCount)
    }

    /// The first of the states that fails in a process of its own, and how.
    private func confirmed(
        _ states: [CrashState], _ checker: StateChecker
    ) throws -> (CrashState, Judgement)? {
        for state in states {
            let judgement = try checker.confirm(state)
            if !judgement.violations.isEmpty { return (state, judgement) }
        }
        return nil
    }
}

extension FindingCollector.Cause {
    /// The failure as one sentence: where the power went, what was lost, what is wrong.
    package var sentence: String {
        let lost = loss.lines.isEmpty ? "nothing" : loss.lines.joined(separator: "; ")
        let remark = isCutShort ? " (not made as small as it gets: the time was up)" : ""
        return "crash after event \(state.crashPoint); lost: \(lost); \(violation)\(remark)"
    }
}
