import Bytes
import Exploration
import Oracle
import Runs

extension English {
    package func words(for reason: VerdictReason) -> String {
        switch reason {
        case .missedMutation(let mutation): "positive control: the validator did not flag \(mutation)"
        case .finding(let story): story
        case .notMinimised(let count, let check):
            "\(count.counted("failing state")) of \(check.rawValue) not minimised: the findings are known, and these may "
                + "fail for other causes"
        case .unconfirmed(let count):
            "\(count.counted("state")) failed in a persistent recover process and not in a fresh one: the target's "
                + "recovery is not deterministic, or carries state over"
        case .nothingAcknowledged: "nothing was acknowledged: there was nothing to lose"
        case .partial(let parts):
            "only \(parts.epochs) of \(parts.of) \(parts.unit?.rawValue ?? "parts") done: the budget is used up; a larger "
                + "--budget does the rest, --partial accepts it"
        case .noMutation(let check):
            "positive control: no wrong observation could be formed for \(check.rawValue)"
        case .inconclusive(let reason): words(for: reason)
        case .growth(let growth): words(for: growth)
        case .notJudged(let reason): reason
        case .notExplored(let coverage): words(forNotExplored: coverage)
        }
    }

    private func words(forNotExplored coverage: Coverage) -> String {
        let explored =
            coverage.workloads.map { "\($0.explored) of \($0.all.counted("workload"))" }
            ?? "\(coverage.exploredEpochs) of \(coverage.epochs.counted("epoch"))"
        let why = coverage.stopped.map { ": \(words(for: $0))" } ?? ""
        return "only \(explored) explored\(why); a larger budget or --resume explores the rest, --partial accepts it"
    }

    private func words(for reason: InconclusiveReason) -> String {
        switch reason {
        case .noKillLanded:
            "every kill came before or after the workload's operations: try more --ops, another --seed or more --cycles"
        case .fewKillsLanded(let landed, let all):
            "only \(landed) of \(all.counted("kill")) landed while the workload was at work: try more --ops, so that the "
                + "work takes longer"
        case .noCutLanded:
            "no live cut landed while the workload was at work: try another --seed or more --cycles"
        case .cutNotTried(let cut): "the power cut at '\(cut.aim)' was not tried: \(cut.detail ?? "")"
        case .cutNeverFired(let cut):
            "the power cut at '\(cut.aim)' did not happen: "
                + "\(cut.placed.flatMap { $0 == cut.aim.description ? nil : $0 } ?? "it") never came"
        case .nothingLost: "no crash lost anything: the workload left nothing unsynced at any cut"
        case .ruleNeverFired(let fault): "a rule never fired: \(fault.detail ?? fault.rule)"
        case .noFaultFired: "no fault fired"
        case .flakeyNotTried(let trial):
            "\(trial.fault.rawValue) was not tried: \(trial.detail ?? "the workload ended before the device failed")"
        case .growthNotJudged(let lives):
            "only \(lives.counted("life", "lives")) of the store's process were long enough to look for leaks: try a longer "
                + "--duration, or a larger --life"
        case .notDeterministic(let coverage):
            "the target's recovery is not deterministic: \(words(for: coverage))"
        }
    }

    package func words(for obstacle: Obstacle) -> String {
        switch obstacle {
        case .other(let reason): reason
        case .budgetIsUsedUp: "the budget was used up before it began"
        case .noSuchOperation: "the work does nothing of the kind"
        case .recoveryChangesNothing(let cuts): "after each of \(cuts) cuts its recovery changed nothing on storage"
        case .firstCutsFailed(let cuts): "each of \(cuts) first cuts broke a promise or left nothing to recover"
        case .storeWritesTooLittle: "the store writes next to nothing"
        case .nothingToHit: "the store does nothing that it could hit"
        case .noMount(let reason): "no mount can be made: \(reason)"
        case .mappedFiles(let files):
            "the kernel writes \(files.joined(separator: ", ")) back when it likes: they are mapped"
        case .noPowerCutShowedIt: "no power cut showed it: a process that is killed loses nothing that is in the kernel"
        case .fileFaultShowedIt:
            "a fault of the store's files showed it, and below a filesystem only the device has faults"
        case .cutDuringRecovery: "the power went during a recovery, and below a filesystem recoveries are not recorded"
        case .writeAfterRecovery: "a write after the recovery showed it, which is not done there"
        case .showsWithoutCrash: "it shows without a crash"
        case .notDeterministic: "the target's recovery is not deterministic, and shows different things"
        }
    }
}
