import Exploration
import Oracle

/// Why a run's verdict is not a pass.
package enum VerdictReason: Sendable {
    /// The validator let mutations of a right observation pass: the harness is wrong.
    case missedMutation(String)
    /// A finding, in its own words.
    case finding(String)
    /// So many failing states of which no cause is known.
    case notMinimised(Int, Check)
    /// So many states failed in a persistent recover process and not in a fresh one.
    case unconfirmed(Int)
    case nothingAcknowledged
    /// The budget left parts of the run out.
    case partial(RunResult.Explored)
    /// No mutation could be made for this check.
    case noMutation(Check)
    case doubt(Doubt)
    /// Why a check could not be judged.
    case notJudged(String)
    /// The exploration left epochs out.
    case notExplored(Coverage)
}

/// Why a run that found nothing, and whose validator sees, shows nothing all the same.
package enum Doubt: Sendable {
    case noKillLanded
    case fewKillsLanded(Int, of: Int)
    case noCutLanded
    /// An aimed cut was not tried.
    case cutNotTried(CutReport)
    /// An aimed cut never came to its place.
    case cutNeverFired(CutReport)
    /// No crash state had lost anything.
    case nothingLost
    case ruleNeverFired(FaultReport)
    case noFaultFired
    /// The target's recovery is not deterministic.
    case notDeterministic(Coverage)
}

/// Why something was not done, or cannot be.
package enum Obstacle: Sendable {
    /// What the machine lacks, or what refused, in its words.
    case other(String)
    case budgetIsUsedUp
    /// The workload has no operation of the kind that a cut is aimed at.
    case noSuchOperation
    /// After each of so many cuts the recovery changed nothing.
    case recoveryChangesNothing(cuts: Int)
    /// Each of so many first cuts broke a promise, or left nothing to recover.
    case firstCutsFailed(cuts: Int)
    case storeWritesTooLittle
    case nothingToHit
    case noMount(String)
    /// Mapped files, which the kernel writes back at any time.
    case mappedFiles([String])

    // Why a finding cannot be seen below a real filesystem:
    case noPowerCutShowedIt
    case fileFaultShowedIt
    case cutDuringRecovery
    case writeAfterRecovery
    case showsWithoutCrash
    case notDeterministic
}
