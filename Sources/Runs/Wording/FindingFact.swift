import Exploration
import Model
import Oracle
import Targets

/// How a finding showed, as facts.
package enum FindingFact: Sendable {
    case crash(CrashFact)
    case withoutFault(Violation)
    /// The store as a kill left it.
    case kill(KillFact, Violation)
    /// The store recovered, and then its workload failed although nothing was injected.
    case workloadFailed(after: RecoveredFrom, WorkloadEnd)
    /// The store met faults.
    ///
    /// - Parameter end: how the workload under the rules ended.
    case faults([Rule], [InjectedFault], end: Termination, FaultFact)
    /// A state showed two different things.
    case unstable

    /// What a store had recovered from before its workload failed.
    package enum RecoveredFrom: Hashable, Sendable {
        case kill(Int)
        case powerCut(Int)
        /// It was only closed and opened again.
        case reopening
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
    /// The steps of the small workload that it follows; empty for any other workload.
    package var steps: [String]
    /// The time was up before it was fully minimised.
    package var isCutShort: Bool
    /// The search ended there, because each state that hangs costs so many seconds; nil if it did not.
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

/// What a store that met a fault did and must not do.
package enum FaultFact: Sendable {
    /// The workload neither refused nor went on.
    case hung(isAfterFault: Bool)
    /// The fault was gone, and the next workload failed.
    case nextWorkloadFailed(WorkloadEnd)
    /// What it showed while the rule was in force.
    case shownUnderRule(Violation)
    case recoveryHungUnderRule(seconds: Int)
    /// What its files hold, read afresh.
    case stored(StoredAt, Violation)
    /// What a power cut after a lying sync left.
    case powerCut(eventCount: Int, Violation)

    package enum StoredAt: Hashable, Sendable {
        case event(Int)
        case afterFault
        case afterAnotherLife
    }
}

/// What is said of a fault beside its outcome.
package enum FaultDetail: Sendable {
    case workloadEnded(WorkloadEnd)
    case recoveryRefused(reason: String)
    /// The rule matched so often, and never fired.
    case neverFired(Rule, matched: UInt64)
}
