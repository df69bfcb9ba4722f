import Exploration
import Runs

/// The barriers of a run, and whether a crash state needs them, for people.
struct BarrierTable {
    private let barriers: RunResult.Barriers

    init(_ barriers: RunResult.Barriers) { self.barriers = barriers }

    func lines(for terminal: Terminal) -> [ReportLine] {
        guard !barriers.patterns.isEmpty else { return ["this run has no barriers"] }
        var table = Table([.init("barrier"), .init("of"), .init("calls", .right), .init("needed")])
        var stories: [ReportLine] = []
        for (number, barrier) in barriers.patterns.enumerated() {
            table.add([
                "\(BarrierText.call(barrier.pattern))", "\(BarrierText.files(barrier.pattern))", "\(barrier.count)",
                .init(BarrierText.need(of: barrier), barrier.need == .notNeeded ? .doubtful : .plain),
            ])
            if let story = barrier.story {
                stories += StoryReport.wrapped("\(number + 1). ", BarrierText.without(barrier, story), "")
            }
        }
        return ["which barriers this run needs under \(barriers.profile.rawValue), each kind left out alone:"]
            + table.lines(for: terminal).map { "  " + $0 } + stories.map { "  " + $0 }
            + StoryReport.wrapped("", BarrierText.caution(barriers), "  ")
    }
}

/// The words for barriers and for whether they are needed.
enum BarrierText {
    static func call(_ pattern: BarrierPattern) -> String {
        switch pattern.call {
        case .fsync: "fsync"
        case .fdatasync: "fdatasync"
        case .flush: "sync"
        case .forceUnitAccess: "write that is durable at once"
        }
    }

    /// `a.db-journal`, `the store's directory`, `everything`.
    static func files(_ pattern: BarrierPattern) -> String {
        switch pattern.path?.description {
        case nil: "everything"
        case ".": "the store's directory"
        case let path?: path
        }
    }

    static func need(of barrier: RunResult.Barrier) -> String {
        let states = "\(barrier.decided.counted("state")) judged\(barrier.isExhaustive ? ", all there are" : "")"
        return switch barrier.need {
        case .needed: "yes: \(barrier.check?.rawValue ?? "")"
        case .neededInRecovery: "yes, by a crash during recovery: \(barrier.check?.rawValue ?? "")"
        case .notNeeded: "no crash state of this run needs it (\(states))"
        case .undecided: "not told: the time was up (\(states))"
        }
    }

    /// `Without them: key k1 is gone, though its put was acknowledged. Lost: …`
    static func without(_ barrier: RunResult.Barrier, _ story: String) -> String {
        let lost = barrier.lost ?? []
        let shown = lost.prefix(3).joined(separator: ", ") + (lost.count > 3 ? " and \(lost.count - 3) more" : "")
        return "Without it: \(story)" + (lost.isEmpty ? "." : ". Lost: \(shown).")
    }

    static func caution(_ barriers: RunResult.Barriers) -> String {
        "This holds for this run, its workload and \(barriers.profile.rawValue). Of two barriers that do the same work neither is "
            + "needed, but one of them is: leave out one, and look again."
    }
}
