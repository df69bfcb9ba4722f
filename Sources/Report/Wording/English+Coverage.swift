import Bytes
import Exploration

extension English {
    /// `exhaustive 812/815 epochs (up to 31 unsynced changes); 3 bounded (≤ 2 lost, ≤ 2 kept, 256 samples)`, or with states
    /// that were decided: `torn 815/815, units 812/815 epochs (…)`.
    package func words(for coverage: Coverage) -> String {
        let (limits, counts) = (coverage.limits, coverage.counts)
        var text = coverage.profiles.map { "\($0.counted("profile")); " } ?? ""
        text += coverage.workloads.map { "\($0.explored)/\($0.all.counted("workload")); " } ?? ""
        text +=
            "\(levels(coverage))\(coverage.exhaustedEpochs)/\(coverage.epochs.counted("epoch")) "
            + "(up to \(coverage.mostAtoms.counted("unsynced change")))"
        if !coverage.searched.isEmpty {
            text +=
                "; \(coverage.searched.count) bounded (≤ \(limits.droppedAtMost) lost, ≤ \(limits.droppedAtMost) kept, "
                + "\(limits.samplesPerEpoch.counted("sample")))"
        }
        if let stopped = coverage.stopped {
            let missing = coverage.epochs - coverage.exploredEpochs
            text +=
                coverage.hasCheckedExtremes
                ? "; \(missing) NOT EXPLORED beyond all lost and all kept: \(words(for: stopped))"
                : "; THE REST OF THE RUN NOT EXPLORED, and of these epochs at most all lost and all kept: "
                    + words(for: stopped)
            if coverage.exploredEpochs == 0 { text += "; no epoch was explored completely: raise the budget" }
        }
        if limits.depth > 1 {
            text += "; \(counts.nested.counted("state")) of crashes during recovery"
            if counts.boundedRecoveries > 0 {
                let bounded = counts.boundedRecoveries.counted("recovery", "recoveries")
                text += " (for \(bounded) only \(limits.nestedStatesPerEpoch) in each epoch)"
            }
        }
        switch coverage.decidingObstacle {
        case nil: break
        case .sampleDiffers:
            text +=
                "; RECOVERY DEPENDS ON MORE THAN WHAT IT READS: a state that agrees with another in all that was read showed "
                + "something else, so every state was recovered"
        case .readsDiffer:
            text +=
                "; RECOVERY DEPENDS ON MORE THAN WHAT IT READS: two recoveries read the same and went on differently, so every "
                + "state was recovered"
        }
        if counts.unstable > 0 {
            text +=
                "; NOT DETERMINISTIC: \(counts.unstable) of \(counts.rerun) states gave another result when recovered again"
        }
        return text
    }

    /// The levels at which all states were decided, up to the last one: `whole 9/9, torn 8/9, units `.
    private func levels(_ coverage: Coverage) -> String {
        guard coverage.families > 0, coverage.decidingObstacle == nil else { return "exhaustive " }
        let (whole, torn) = (coverage.epochs(reaching: .whole), coverage.epochs(reaching: .torn))
        return (whole > torn ? "whole \(whole)/\(coverage.epochs), " : "") + "torn \(torn)/\(coverage.epochs), units "
    }

    func words(for reason: StopReason) -> String {
        switch reason {
        case .budget: "the budget is used up"
        case .states(let count): "the budget of \(count.counted("state")) is used up"
        case .hangs(let count):
            "\(count.counted("state hangs", "states hang")) in recovery, and each costs the target's timeout; --hangs allows "
                + "more"
        case .targetCauseFound: "the cause that was looked for shows"
        case .interrupted: "interrupted"
        case .memory(let words): words
        }
    }
}
