import Model

/// Makes a failing crash state smaller: fewer atoms lost, under the strongest profile that still leaves it.
package struct Minimiser {
    private let recording: Recording

    package init(_ recording: Recording) { self.recording = recording }

    /// A state that still fails and loses as little as this way of looking can find: first at the earliest oracle line
    /// after which losing the same atoms fails, then without each atom that need not be lost.
    package func minimise(_ state: CrashState, fails: (CrashState) throws -> Bool) throws -> CrashState {
        let smallest = try losingLess(try atEarliestPoint(state, fails: fails), fails: fails)
        let strongest = try underStrongestProfile(smallest)
        // A stronger profile may not leave this very tree, and fail all the same by losing more.
        for profile in Profile.allCases.prefix(while: { $0 != strongest.profile }) {
            let candidate = try recording.state(profile, at: strongest.crashPoint, .nothing)
            if !candidate.lost.isEmpty, try fails(candidate) { return try losingLess(candidate, fails: fails) }
        }
        return strongest
    }

    /// Without each atom that need not be lost.
    private func losingLess(_ state: CrashState, fails: (CrashState) throws -> Bool) throws -> CrashState {
        var best = state
        var hasShrunk = true
        while hasShrunk {
            hasShrunk = false
            for item in best.lost.items.reversed() {
                let fewer = LostAtoms(best.lost.items.filter { $0 != item })
                let candidate = try recording.state(best.profile, at: best.crashPoint, .losing(fewer))
                // What was kept may have been lost for the sake of the order: then nothing changed.
                guard candidate.lost.items.count < best.lost.items.count, try fails(candidate) else { continue }
                best = candidate
                hasShrunk = true
            }
        }
        return best
    }

    /// What came after the broken promise is of no interest: it only makes the list of what was lost longer.
    private func atEarliestPoint(_ state: CrashState, fails: (CrashState) throws -> Bool) throws -> CrashState {
        guard let first = state.lost.items.map(\.operation).min(),
            let begin = recording.events.firstIndex(where: { $0.operationID == first })
        else { return state }
        for point in begin + 1..<state.crashPoint where recording.isOracleLine(before: point) {
            let candidate = try recording.state(state.profile, at: point, .losing(state.lost))
            if !candidate.lost.isEmpty, try fails(candidate) { return candidate }
        }
        return state
    }

    /// The same tree under the strongest profile that allows it at this crash point.
    package func underStrongestProfile(_ state: CrashState) throws -> CrashState {
        for profile in Profile.allCases.prefix(while: { $0 != state.profile }) {
            let candidate = try recording.state(profile, at: state.crashPoint, .losing(state.lost))
            if candidate.tree == state.tree { return candidate }
        }
        return state
    }
}

extension Recording {
    /// Whether the last event before the crash point is a line of the oracle: only there do promises change.
    fileprivate func isOracleLine(before point: Int) -> Bool {
        if case .oracle = events[point - 1] { true } else { false }
    }
}

extension TraceEvent {
    fileprivate var operationID: OperationID? {
        if case .operation(let operation) = self { operation.id } else { nil }
    }
}
