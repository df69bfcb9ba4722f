import Model
import Oracle

/// A crash state beside the one of a finding, at the same crash point, and what its recovery shows. Together they tell
/// which single change makes the difference.
package struct Neighbour: Hashable, Codable, Sendable {
    package enum Kind: String, Hashable, Codable, Sendable {
        /// All unsynced changes are lost.
        case allLost = "all-lost"
        /// All unsynced changes are kept.
        case allKept = "all-kept"
        /// The state of the finding with one of its lost changes kept.
        case oneKept = "one-kept"
    }

    package var kind: Kind
    /// The atoms that it lacks, as `LostAtoms` prints them.
    package var lost: String
    package var verdict: Verdict
    /// The first check that it fails.
    package var check: Check?

    /// Of a finding with more lost changes only so many are kept one at a time.
    package static let oneKeptAtMost = 6
}

extension Recording {
    /// The neighbours of a failing state that differ from it and from each other.
    ///
    /// - Parameter judge: recovers and judges a state; nil ends the search.
    package func neighbours(
        of state: CrashState, _ judge: (CrashState) throws -> Judgement?
    ) throws -> [Neighbour] {
        let (set, lines) = try pendingSet(state.profile, at: state.crashPoint)
        var found: [Neighbour] = []
        for (kind, choice) in state.lost.neighbours {
            let candidate = set.state(choice, oracleLineCount: lines)
            let lost = candidate.lost.description
            guard candidate.lost != state.lost, !found.contains(where: { $0.lost == lost }) else { continue }
            guard let judgement = try judge(candidate) else { break }
            found.append(
                Neighbour(kind: kind, lost: lost, verdict: judgement.verdict, check: judgement.violations.first?.check))
        }
        return found
    }
}

extension LostAtoms {
    /// What the neighbours of a state with these losses lose.
    package var neighbours: [(kind: Neighbour.Kind, choice: Choice)] {
        let fewer = items.prefix(Neighbour.oneKeptAtMost).map { item in
            (Neighbour.Kind.oneKept, Choice.losing(LostAtoms(items.filter { $0 != item })))
        }
        return [(.allLost, .nothing), (.allKept, .everything)] + fewer
    }
}
