import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Storage

/// Power cuts during the recovery from a power cut.
extension PowerCutRun {
    /// The limit of first cuts to try. If no recovery changes anything after so many, assume that none ever does. A
    /// first cut that breaks a promise is not followed by a second one: the violation needs no crash during recovery.
    private static let firstCutLimit = 4

    /// Cuts the power during the workload, and again during the recovery. False if the store no longer opens.
    ///
    /// Recovers a copy of the state first, to count the events and to derive crashes of the recovery. Then it makes one
    /// crash on the mount.
    mutating func cutRecovery(_ aim: PlannedCut, _ planner: CutPlanner) throws -> Bool {
        var obstacle = Obstacle.recoveryChangesNothing(cuts: Self.firstCutLimit)
        for _ in 0..<Self.firstCutLimit {
            guard !isOver else {
                isPartComplete = false
                return true
            }
            guard let first = planner.place(.work, &stream), let attempt = try cut(aim, at: first) else { return false }
            guard case .cut(let life) = attempt else { return true }
            // This was the first of the two cuts, not the cut of the recovery.
            tally.aims.removeLast()
            guard life.keepsPromises else {
                obstacle = .firstCutsFailed(cuts: Self.firstCutLimit)
                continue
            }
            let state = try life.recording.state(request.profile, at: life.cut.eventCount, .losing(life.cut.lost))
            guard let recovery = try recoveryOfACopy(of: state, life, aim),
                let placement = CutPlanner.place(inRecoveryOf: recovery.events.count, &stream)
            else { continue }
            let before = FirstCrash.live(life.hit, lost: life.cut.lossDescriptions)
            var sweep = CutSweep(profile: request.profile, seed: stream.next())
            (sweep.seededPointCount, sweep.choicesPerPoint, sweep.namePointCount) = (16, 2, 8)
            sweep.dropsAtSeededPoints = true
            try self.sweep(recovery, linesBefore: history.lineCount, sweep, after: before)
            try cutRecovery(aim, at: placement, after: before)
            return true
        }
        var report = aim.report(.notTried, nil)
        report.detail = context.wording.words(for: obstacle)
        tally.aims.append(report)
        return true
    }

    /// Records the recovery of a copy of the state after a cut; nil if the store does not open.
    private mutating func recoveryOfACopy(of state: CrashState, _ life: CutLife, _ aim: PlannedCut) throws -> Recording?
    {
        let copy = context.scratchFile("copy")
        try RunFiles.makeDirectory(copy)
        defer { try? TreeRemoval.remove(copy) }
        try TreeMaterialiser(payloads: life.recording.payloads).materialise(state.tree, into: copy)
        var (recovery, outcome) = try cycle(on: copy).recover(
            named: name("recovery-\(aim.cycle)"), holding: state.tree.escapingLinks(), crash: nil)
        noteMappedFiles(&recovery.recording)
        guard case .opened = outcome else { return nil }
        return recovery.recording
    }

    /// Recovers the store's own directory, with a power cut. Retries at earlier places if the recovery ended before the
    /// cut.
    private mutating func cutRecovery(_ aim: PlannedCut, at placement: CutPlacement, after firstCrash: FirstCrash)
        throws
    {
        var next: CutPlacement? = placement
        while let placement = next {
            let crash = LiveCycle.Crash(trigger: placement.trigger, choice: .seeded(stream.next()))
            var (life, _) = try cycle(on: backing).recover(
                named: name("recovery-\(aim.cycle)-cut"), holding: try Tree(skeletonOf: backing).escapingLinks(),
                crash: crash)
            noteMappedFiles(&life.recording)
            if let cut = life.cut {
                var report = aim.report(.fired, placement)
                report.hit = life.hit.map { context.wording.words(for: $0) }
                tally.aims.append(report)
                let state = try life.recording.state(request.profile, at: cut.eventCount, .losing(cut.lost))
                let checker = makeChecker(life.recording, history.lineCount)
                var collector = FindingCollector(life.recording)
                try take(state, checker, &collector)
                tally.count(checker)
                return try self.report(
                    collector, life.recording, linesBefore: history.lineCount, after: firstCrash)
            }
            next = placement.earlier()
        }
        tally.aims.append(aim.report(.neverFired, placement))
    }
}
