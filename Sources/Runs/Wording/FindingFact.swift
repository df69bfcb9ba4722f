import Exploration
import Model
import Oracle
import Targets

/// How a finding showed, as facts.
package enum FindingFact: Sendable {
    case crash(CrashFact)
    case withoutFault(Violation)
    /// The store after a kill broke a check.
    case kill(KillFact, Violation)
    /// The store, or the filesystem below it, after its device had failed.
    case flakey(FlakeyTrial, Violation)
    /// The store recovered, and then its workload failed without an injected fault.
    case workloadFailed(after: RecoveredFrom, WorkloadEnd)
    /// The store met faults.
    ///
    /// - Parameter end: how the workload under the rules ended.
    case faults([Rule], [InjectedFault], end: Termination, FaultFact)
    /// Two recoveries of a state gave different results.
    case unstable

    /// What a store had recovered from before its workload failed.
    package enum RecoveredFrom: Hashable, Sendable {
        case kill(Int)
        case powerCut(Int)
        /// The store was closed and reopened.
        case reopening
        /// This cycle of a soak, from 1.
        case soakCycle(Int)
    }
}

/// A crash state that breaks the contract.
package struct CrashFact: Sendable {
    /// The number of events before the crash.
    package var eventCount: Int
    /// A description of each lost effect.
    package var lost: [String]
    package var violation: Violation
    /// The crash before this one, if this one was during the recovery from it.
    package var firstCrash: FirstCrash?
    /// The steps of the small workload before the crash; empty for any other workload.
    package var steps: [String]
    /// The time was up before it was fully minimised.
    package var isCutShort: Bool
    /// The timeout of a hanging state, in seconds, if hangs ended the minimisation early; nil otherwise.
    package var hangSeconds: Int?

    package init(
        eventCount: Int, lost: [String], _ violation: Violation, firstCrash: FirstCrash? = nil, steps: [String] = [],
        isCutShort: Bool = false, hangSeconds: Int? = nil
    ) {
        self.eventCount = eventCount
        self.lost = lost
        self.violation = violation
        self.firstCrash = firstCrash
        self.steps = steps
        self.isCutShort = isCutShort
        self.hangSeconds = hangSeconds
    }
}

/// A live kill.
package struct KillFact: Hashable, Sendable {
    /// From 1.
    package var number: Int
    /// The acknowledgements of that life.
    package var acknowledged: Int
    /// The acknowledgement at which it was asked for, if it was.
    package var asked: Int?

    package init(number: Int, acknowledged: Int, asked: Int?) {
        (self.number, self.acknowledged, self.asked) = (number, acknowledged, asked)
    }
}

/// How a store misbehaved under a fault.
package enum FaultFact: Sendable {
    /// The workload neither refused nor went on.
    case hung(isAfterFault: Bool)
    /// The next workload failed, although the fault was over.
    case nextWorkloadFailed(WorkloadEnd)
    /// A violation seen while the rule was in force.
    case shownUnderRule(Violation)
    case recoveryHungUnderRule(seconds: Int)
    /// A violation in its files, recovered afresh.
    case stored(StoredAt, Violation)
    /// A violation after a power cut that followed a lying sync.
    case powerCut(eventCount: Int, Violation)

    package enum StoredAt: Hashable, Sendable {
        case event(Int)
        case afterFault
        case afterAnotherLife
    }
}

/// Details of a fault's outcome.
package enum FaultDetail: Sendable {
    case workloadEnded(WorkloadEnd)
    case recoveryRefused(reason: String)
    /// The rule matched `matched` operations but never fired.
    case neverFired(Rule, matched: UInt64)
}
