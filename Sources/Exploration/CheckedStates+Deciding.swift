import Model
import Oracle
import Synchronization

extension CheckedStates {
    /// The result of a state that was recovered, or decided by what other recoveries read.
    private enum Finding: Sendable {
        case known(leaf: Int32)
        case recovered(RecoveryOutcome)
    }

    /// Finds what each of these states shows: by the decision tree, or by a recovery. Returns the leaves in the decision
    /// tree, in order, as far as `shouldStop` permits; nil where a recovery was not begun.
    ///
    /// If the recoveries turn out to depend on more than what they read, `decisions` is nil afterwards.
    func leaves(of states: [QueuedState], shouldStop: () -> Bool) throws -> [Int32?] {
        var leaves = states.map { decisions?.leaf(of: $0.hash) }
        var fresh: [Int] = []
        var queued: Set<StateHash> = []
        for (index, state) in states.enumerated()
        where leaves[index] == nil && queued.insert(state.hash).inserted {
            fresh.append(index)
        }
        var position = 0
        while position < fresh.count, counts.hung < hangsAtMost {
            let batch = Array(fresh[position..<min(position + recovery.batchCount, fresh.count)])
            position += batch.count
            let findings = try find(batch.map { states[$0] })
            for (index, finding) in zip(batch, findings) {
                guard let finding, let decisions else { continue }
                leaves[index] = try enter(finding, of: states[index], decisions)
            }
            if decisions == nil || shouldStop() { break }
        }
        guard let decisions else { return leaves }
        for (index, state) in states.enumerated() where leaves[index] == nil {
            leaves[index] = decisions.leaf(of: state.hash)
        }
        return leaves
    }

    private func enter(_ finding: Finding, of state: QueuedState, _ decisions: DecisionTree) throws -> Int32? {
        let leaf: Int32
        switch finding {
        case .known(let known): leaf = known
        case .recovered(let outcome):
            let number = try enter(outcome, of: state)
            // What a recovery would have read that was stopped is not known.
            guard !outcome.hung else { return nil }
            let seen = outcome.reads.map { (decisions.reads.number(of: $0.read), $0.value) }
            guard let new = try decisions.insert(seen, evidence: number) else {
                self.decisions = nil
                return nil
            }
            leaf = new
        }
        try decisions.record(state.hash, at: leaf)
        return leaf
    }

    private func find(_ states: [QueuedState]) throws -> [Finding?] {
        guard let decisions else { return states.map { _ in nil } }
        let (recovery, seen, first, isOver) = (recovery, seen, counts.checked, isOver)
        let (spill, batchBytes) = (shown.spill, batchBytes)
        let heldBytes = Atomic<Int>(0)
        let (before, hangsAtMost) = (counts.hung, hangsAtMost)
        let hangs = Atomic<Int>(0)
        let findings = try Parallel.map(
            states, workers: workers,
            isOver: {
                guard case .recovered(let outcome) = $0, outcome.hung else { return false }
                return before + hangs.add(1, ordering: .relaxed).newValue >= hangsAtMost
            },
            { index, state -> Finding? in
                let tree = state.epoch.set.tree(state.survivors)
                if let leaf = decisions.find(tree) { return .known(leaf: leaf) }
                if isOver() { return nil }
                let again = (first + index) % Self.rerunPeriod == 0
                var outcome = try Self.recover(tree, recovery, nil, again: again, notingReads: true)
                try outcome?.compact(seen, spill, heldBytes, batchBytes)
                return outcome.map { .recovered($0) }
            })
        return findings.map { $0 ?? nil }
    }
}

extension CheckedStates {
    /// A decided state to be recovered all the same.
    struct Sample {
        var state: QueuedState
        /// The number of the evidence that it is decided to show.
        var expected: Int
    }

    /// Recovers decided states. False if one shows something else, after which `decisions` is nil.
    func verify(_ samples: [Sample]) throws -> Bool {
        guard !samples.isEmpty else { return true }
        let recovery = recovery
        let first = counts.checked
        let outcomes = try Parallel.map(samples, workers: workers) { index, sample -> RecoveryOutcome? in
            let tree = sample.state.epoch.set.tree(sample.state.survivors)
            return try Self.recover(tree, recovery, nil, again: (first + index) % Self.rerunPeriod == 0)
        }
        for (sample, outcome) in zip(samples, outcomes) {
            guard let outcome = outcome ?? nil else { continue }
            if try enter(outcome, of: sample.state) != sample.expected {
                decisions = nil
                return false
            }
        }
        return true
    }
}
