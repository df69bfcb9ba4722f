import Model

extension Explorer {
    /// Whether states are decided by what recoveries read.
    var decides: Bool { limits.decides && states.decisions != nil }

    /// Decides the states of all epochs by what recoveries read, until the exploration stops: first at the level `torn`,
    /// then at `units`, the epochs with fewer families first. An epoch with too many families is left for the bounded search.
    ///
    /// - Parameter first: the number of epochs to skip.
    func decide(
        from first: Int, _ shouldStop: () -> StopReason?, progress say: (ExplorationStep) -> Void
    ) throws {
        deciding = Deciding()
        let all = limits.statesPerEpoch
        let passes: [(StateLevel, Int)] = [
            (.torn, min(all, 1024)), (.torn, all), (.whole, all), (.units, min(all, 1024)), (.units, all),
        ]
        for (place, (level, familiesAtMost)) in passes.enumerated() {
            if place > 0, !deciding.epochs.keys.contains(where: { wants(level, familiesAtMost, $0) }) { continue }
            try decide(level, familiesAtMost: familiesAtMost, from: first, shouldStop, say)
            guard decides else {
                // Everything is walked from the beginning.
                deciding = Deciding()
                return
            }
            if coverage.stopped != nil { return }
        }
    }

    private func decide(
        _ level: StateLevel, familiesAtMost: Int, from first: Int, _ shouldStop: () -> StopReason?,
        _ say: (ExplorationStep) -> Void
    ) throws {
        var chunk: [EpochDecision] = []
        var number = 0
        func walkChunk() throws {
            try decide(chunk, shouldStop)
            for decision in chunk where decision.isDone && decides { deciding.note(decision) }
            chunk = []
            say(step(first + deciding.epochs(reaching: .units)))
        }
        try recording.forEachEpoch(profile) { epoch in
            defer { number += 1 }
            guard number >= first, wants(level, familiesAtMost, number) else { return false }
            chunk.append(
                try EpochDecision(
                    epoch, number: number, level,
                    familiesAtMost: self.familiesAtMost(level, familiesAtMost, number, epoch),
                    payloads: recording.payloads, hashes: hashes))
            guard chunk.count == Self.epochsPerChunk else { return false }
            try walkChunk()
            return coverage.stopped != nil || !decides
        }
        if !chunk.isEmpty, coverage.stopped == nil, decides { try walkChunk() }
    }

    private func wants(_ level: StateLevel, _ familiesAtMost: Int, _ number: Int) -> Bool {
        let known = deciding[number]
        switch level {
        case .torn: return known.level == nil && known.tornFamilies < familiesAtMost
        case .whole: return known.level == nil
        case .units:
            // Every family of `torn` has at least one of `units`.
            return known.level == .torn && known.unitFamilies < familiesAtMost && known.tornFamilies < familiesAtMost
        }
    }

    /// Where recovery reads all units of a write, there is a family for each set of them: no more are tried than promise to
    /// be all, unless all states are few.
    private func familiesAtMost(_ level: StateLevel, _ familiesAtMost: Int, _ number: Int, _ epoch: Epoch) -> Int {
        guard level == .units, !epoch.set.hasAtMost(limits.statesPerEpoch) else { return familiesAtMost }
        return min(familiesAtMost, 256 + 8 * deciding[number].tornFamilies)
    }

    private func decide(_ decisions: [EpochDecision], _ shouldStop: () -> StopReason?) throws {
        var open = decisions
        var draws = RandomStream(seed: seed).stream("samples").stream(UInt64(deciding.families))
        var losses: CheckedStates.LossesOfEpoch?
        while !open.isEmpty, !stop(shouldStop), decides {
            let rounds = try Parallel.map(open, workers: workers) { _, decision in try decision.round() }
            var found: [(decision: EpochDecision, state: EpochDecision.Representative)] = []
            for (decision, round) in zip(open, rounds) { found += (round ?? []).map { (decision, $0) } }
            let queued = found.map {
                CheckedStates.QueuedState(hash: $0.state.hash, epoch: $0.decision.epoch, survivors: $0.state.survivors)
            }
            let results = try states.results(of: queued) { stop(shouldStop) }
            guard let tree = states.decisions else {
                coverage.decidingObstacle = .readsDiffer
                return
            }
            var samples: [CheckedStates.Sample] = []
            for (index, (decision, state)) in found.enumerated() {
                guard let (number, reads) = results[index] else { continue }
                let family = decision.branch(state, reading: reads, of: tree.reads)
                deciding.families += 1
                if family.decidesOthers, deciding.takesSample() {
                    let (hash, survivors) = try decision.sample(family, &draws)
                    samples.append(
                        CheckedStates.Sample(
                            state: .init(hash: hash, epoch: decision.epoch, survivors: survivors), expected: number))
                }
                let fails = try conclude(queued[index], number, &losses)
                if fails, family.decidesOthers {
                    let all = try decision.forEachState(of: family, atMost: Self.failingAtMost) { hash, survivors in
                        let state = CheckedStates.QueuedState(hash: hash, epoch: decision.epoch, survivors: survivors)
                        _ = try conclude(state, number, &losses)
                    }
                    if !all { coverage.hasMoreFailing = true }
                }
            }
            if coverage.stopped == nil, try !states.verify(samples) {
                coverage.decidingObstacle = .sampleDiffers
                return
            }
            guard coverage.stopped == nil else { return }
            open.removeAll { $0.isDone }
        }
    }

    /// The most failing states of a family that are counted one by one.
    private static let failingAtMost = 1024
}
