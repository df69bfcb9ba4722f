import Exploration
import Oracle

/// Why a run's verdict is not a pass.
package enum VerdictReason: Sendable {
    /// The validator did not detect mutations of a correct observation: the harness is at fault.
    case missedMutation(String)
    /// The description of a finding.
    case finding(String)
    /// The number of failing states without a known cause.
    case notMinimised(Int, Check)
    /// The number of states that failed in a persistent recover process but not in a fresh one.
    case unconfirmed(Int)
    case nothingAcknowledged
    /// The budget left parts of the run out.
    case partial(RunResult.Explored)
    /// No mutation could be made for this check.
    case noMutation(Check)
    case inconclusive(InconclusiveReason)
    /// A soak grew without bound.
    case growth(Growth)
    /// Why a check could not be judged.
    case notJudged(String)
    /// The exploration left epochs out.
    case notExplored(Coverage)
}

/// Why a run without findings, with a working validator, is inconclusive.
package enum InconclusiveReason: Sendable {
    case noKillLanded
    case fewKillsLanded(Int, of: Int)
    case noCutLanded
    /// An aimed cut was not tried.
    case cutNotTried(CutReport)
    /// An aimed cut never reached its place.
    case cutNeverFired(CutReport)
    /// No crash state had lost anything.
    case nothingLost
    case ruleNeverFired(FaultReport)
    case noFaultFired
    /// A device did not fail in one of the ways that were asked for.
    case flakeyNotTried(FlakeyTrial)
    /// Too few lives of the store were long enough to look for leaks.
    case growthNotJudged(lives: Int)
    /// The target's recovery is not deterministic.
    case notDeterministic(Coverage)
}

/// Why something was not done, or cannot be.
package enum Obstacle: Sendable {
    /// A missing machine feature or an error, as text.
    case other(String)
    case budgetIsUsedUp
    /// The workload has no operation of the kind that a cut is aimed at.
    case noSuchOperation
    /// The recovery changed nothing after any of the cuts.
    case recoveryChangesNothing(cuts: Int)
    /// Each of the first cuts broke a check or left nothing to recover.
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
