import Model
import Oracle

/// Gathers failing crash states into findings: one for each cause, with its smallest state.
///
/// The cause of a failure is the check that broke and which kinds of things the minimised state had lost, of which
/// files: four hundred failing states of a store that never syncs its directory are one finding.
package struct FindingCollector {
    package struct Cause: Sendable {
        package var check: Check
        /// The first state of this cause, minimised, under the strongest profile that leaves it.
        package var state: CrashState
        package var violation: Violation
        package var loss: LossStory
        package var stateCount: Int
    }

    /// Failing states beyond this many are counted with the cause that broke the same check, and not minimised.
    private static let minimisedAtMost = 100

    private let recording: Recording
    private let minimiser: Minimiser
    private var keys: [String: Int] = [:]
    private var minimisedCount = 0
    package private(set) var causes: [Cause] = []
    /// States that failed in a persistent recover process and not in a fresh one: nothing is reported of them.
    package private(set) var unconfirmedCount = 0

    package init(_ recording: Recording) {
        self.recording = recording
        minimiser = Minimiser(recording)
    }

    /// Adds a state that `judgement` says is wrong.
    package mutating func add(_ state: CrashState, _ judgement: Judgement, _ checker: StateChecker) throws {
        guard let check = judgement.broken.first else { return }
        minimisedCount += 1
        if minimisedCount > FindingCollector.minimisedAtMost,
            let known = causes.firstIndex(where: { $0.check == check })
        {
            causes[known].stateCount += 1
            return
        }
        // To try smaller states that hang would cost the timeout each.
        let smallest =
            checker.hangs(state.tree)
            ? try minimiser.underStrongestProfile(state)
            : try minimiser.minimise(state) { try checker.hangingCount < 3 && checker.check($0).broken.first == check }
        let loss = try recording.story(of: smallest)
        let key = check.rawValue + ": " + loss.kinds.joined(separator: "; ")
        if let known = keys[key] {
            causes[known].stateCount += 1
        } else {
            guard let (proven, violation) = try confirmed([smallest, state], checker) else {
                unconfirmedCount += 1
                return
            }
            let loss = proven.lost == smallest.lost ? loss : try recording.story(of: proven)
            let (check, smallest) = (violation.check, proven)
            keys[key] = causes.count
            causes.append(Cause(check: check, state: smallest, violation: violation, loss: loss, stateCount: 1))
        }
    }

    /// The first of the states that fails in a process of its own, and how.
    private func confirmed(
        _ states: [CrashState], _ checker: StateChecker
    ) throws -> (CrashState, Violation)? {
        for state in states {
            if let violation = try checker.confirm(state).violations.first { return (state, violation) }
        }
        return nil
    }
}

extension FindingCollector.Cause {
    /// The failure as one sentence: where the power went, what was lost, what is wrong.
    package var story: String {
        let lost = loss.lines.isEmpty ? "nothing" : loss.lines.joined(separator: "; ")
        return "crash after event \(state.crashPoint); lost: \(lost); \(violation)"
    }
}
