import Model
import Oracle
import Platform
import Synchronization

extension CheckedStates {
    /// The result of a state that was recovered, or decided by what other recoveries read.
    private enum Finding: Sendable {
        case known(leaf: Int32)
        case recovered(RecoveryOutcome)
    }

    /// The number of a state's evidence, and the numbers of what its recovery read, in order.
    typealias ReadResult = (evidence: Int, reads: [Int32])

    /// Finds what each of these states shows: by the decision tree, or by a recovery; nil where a recovery was not begun, or
    /// `shouldStop` ended it.
    ///
    /// If the recoveries turn out to depend on more than what they read, `decisions` is nil afterwards.
    func results(of states: [QueuedState], shouldStop: () -> Bool) throws -> [ReadResult?] {
        var results = try states.map { try known($0) }
        var fresh: [Int] = []
        var queued: Set<StateHash> = []
        for (index, state) in states.enumerated()
        where results[index] == nil && queued.insert(state.hash).inserted {
            fresh.append(index)
        }
        var position = 0
        while position < fresh.count, counts.hung < hangsAtMost {
            let batch = Array(fresh[position..<min(position + recovery.batchCount, fresh.count)])
            position += batch.count
            let findings = try find(batch.map { states[$0] })
            for (index, finding) in zip(batch, findings) {
                guard let finding, let decisions else { continue }
                results[index] = try enter(finding, of: states[index], decisions)
            }
            if decisions == nil || shouldStop() { break }
        }
        for (index, state) in states.enumerated() where results[index] == nil { results[index] = try known(state) }
        return results
    }

    private func known(_ state: QueuedState) throws -> ReadResult? {
        guard let decisions else { return nil }
        if let leaf = decisions.leaf(of: state.hash) { return result(at: leaf, decisions) }
        return unread[state.hash].map { ($0, everything(of: state, decisions)) }
    }

    private func result(at leaf: Int32, _ decisions: DecisionTree) -> ReadResult {
        (decisions.evidence(at: leaf), decisions.path(to: leaf))
    }

    private func everything(of state: QueuedState, _ decisions: DecisionTree) -> [Int32] {
        state.epoch.set.tree(state.survivors).everything.map(decisions.reads.number(of:))
    }

    private func enter(_ finding: Finding, of state: QueuedState, _ decisions: DecisionTree) throws -> ReadResult? {
        let leaf: Int32
        switch finding {
        case .known(let known): leaf = known
        case .recovered(let outcome):
            let number = try enter(outcome, of: state)
            // It was killed, or nobody could see what it read: it decides itself alone.
            guard let reads = outcome.reads else {
                unread[state.hash] = number
                return (number, everything(of: state, decisions))
            }
            let seen = reads.map { (decisions.reads.number(of: $0.read), $0.value) }
            guard let new = try decisions.insert(seen, evidence: number) else {
                self.decisions = nil
                return nil
            }
            leaf = new
        }
        try decisions.record(state.hash, at: leaf)
        return result(at: leaf, decisions)
    }

    private func find(_ states: [QueuedState]) throws -> [Finding?] {
        guard let decisions else { return states.map { _ in nil } }
        let (recovery, seen, first, isOver) = (recovery, seen, counts.checked, isOver)
        let (spill, batchBytes) = (shown.spill, batchBytes)
        let heldBytes = Atomic<Int>(0)
        let (before, hangsAtMost) = (counts.hung, hangsAtMost)
        let hangs = Atomic<Int>(0)
        let began = MonotonicTime.seconds()
        defer { recoveringSeconds += MonotonicTime.seconds() - began }
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
        let began = MonotonicTime.seconds()
        defer { recoveringSeconds += MonotonicTime.seconds() - began }
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
