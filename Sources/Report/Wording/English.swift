import Bytes
import Exploration
import Model
import Oracle
import Runs

/// The words for what runs find, in English.
package struct English: Wording {
    package init() {}

    package func story(of failing: FailingState) throws -> CrashStory { try Storyteller(failing).tell() }

    package func diagnosis(of violations: [Violation], oracle: ByteString) -> String {
        DriverDiagnosis(violations, oracle: oracle).text
    }

    // MARK: - Findings

    package func words(for fact: FindingFact) -> String {
        switch fact {
        case .crash(let crash): words(for: crash)
        case .withoutFault(let violation): "without any fault: \(violation)"
        case .kill(let kill, let violation): "\(words(for: kill)): \(violation)"
        case .flakey(let trial, let violation): "\(Self.place(of: trial)): \(violation)"
        case .workloadFailed(let recovered, let end): "\(words(for: recovered)) the workload \(end)"
        case .faults(let rules, let hits, let end, let fact):
            "\(rules.map(\.description).joined(separator: "; ")) [\(words(for: hits))]; the workload \(end); "
                + words(for: fact)
        case .unstable: "recovering this state showed two different things"
        }
    }

    private func words(for crash: CrashFact) -> String {
        let steps = crash.steps.isEmpty ? "" : "after \(crash.steps.joined(separator: ", ")): "
        let first = crash.firstCrash.map { "\(words(for: $0)) Then a " } ?? ""
        let cutShort = crash.isCutShort ? " (not fully minimised: the time was up)" : ""
        let hangs =
            crash.hangSeconds.map { " (the search of this life ended there: each state that hangs costs \($0) s)" }
            ?? ""
        return "\(steps)\(first)crash after event \(crash.eventCount); lost: \(words(forLost: crash.lost)); "
            + "\(crash.violation)\(cutShort)\(hangs)"
    }

    private func words(forLost lost: [String]) -> String { lost.isEmpty ? "nothing" : lost.joined(separator: "; ") }

    private func words(for kill: KillFact) -> String {
        let late = kill.asked.map { $0 == kill.acknowledged ? "" : " (asked for: \($0))" } ?? ""
        return "kill \(kill.number), after \(kill.acknowledged.counted("acknowledgement"))\(late) of that life"
    }

    private func words(for recovered: FindingFact.RecoveredFrom) -> String {
        switch recovered {
        case .kill(let number): "after recovery from kill \(number)"
        case .powerCut(let number): "after recovery from power cut \(number)"
        case .soakCycle(let number): "after recovery in cycle \(number) of the soak"
        case .reopening: "after the store was reopened,"
        }
    }

    // MARK: - Crashes

    package func words(for crash: FirstCrash) -> String {
        switch crash {
        case .explored(let count, let lost): words(forFirstCrash: "after event \(count) of the run", lost)
        case .live(let hit, let lost): words(forFirstCrash: hit.map { words(for: $0) } ?? "at work", lost)
        case .told(let text): text
        }
    }

    private func words(forFirstCrash place: String, _ lost: [String]) -> String {
        "The power went \(place), which lost \(words(forLost: lost)), and again during the recovery."
    }

    package func words(for hit: CutHit) -> String {
        switch hit {
        case .event(let count, let recording): return "after event \(count): \(recording.summary(ofEvent: count))"
        case .operation(let fault):
            let side = fault.fault == .crash(.before) ? "instead of" : "after"
            return "\(side) \(fault.operation): \(fault.kind.name) \(fault.path)"
        }
    }

    // MARK: - Faults

    private static let hitsAtMost = 3

    private func words(for hits: [InjectedFault]) -> String {
        let more = hits.count > Self.hitsAtMost ? " and \(hits.count - Self.hitsAtMost) more" : ""
        return hits.prefix(Self.hitsAtMost).map(\.words).joined(separator: "; ") + more
    }

    package func words(for fact: FaultFact) -> String {
        switch fact {
        case .hung(let isAfterFault):
            "\(isAfterFault ? "after" : "under") the fault the workload neither refused nor went on: it hung"
        case .nextWorkloadFailed(let end): "after the fault was gone, the next workload \(end)"
        case .shownUnderRule(let violation): "opened while the rule is in force, it showed: \(violation)"
        case .recoveryHungUnderRule(let seconds): "while the rule is in force recovery hung for \(seconds) s"
        case .stored(.event(let count), let violation): "storage after event \(count), read afresh: \(violation)"
        case .stored(.afterFault, let violation): "after the fault, its files read afresh from storage: \(violation)"
        case .stored(.afterAnotherLife, let violation): "after the fault and one more life: \(violation)"
        case .powerCut(let count, let violation): "the power went after event \(count): \(violation)"
        }
    }

    package func words(for detail: FaultDetail) -> String {
        switch detail {
        case .workloadEnded(let end): "\(end)"
        case .recoveryRefused(let reason): "its recovery: \(reason)"
        case .neverFired(let rule, let matched): "\(rule) matched \(matched.counted("time"))"
        }
    }
}
