import Runs
import Scenarios

/// The result of each fault in a run.
struct FaultTable {
    private let faults: [FaultReport]

    init(_ faults: [FaultReport]) { self.faults = faults }

    func lines(for terminal: Terminal) -> [ReportLine] {
        var table = Table([.init("fault"), .init("outcome"), .init("held to"), .init("rule, and what it hit")])
        for fault in faults {
            table.add([
                .init(fault.family.rawValue), Self.outcome(fault), .init(fault.guarantee.rawValue),
                .init(Self.words(fault)),
            ])
        }
        return table.lines(for: terminal)
    }

    private static func outcome(_ fault: FaultReport) -> Table.Cell {
        switch fault.outcome {
        case .survived, .refused: .init(fault.outcome.rawValue, .good)
        case .violation: .init(fault.outcome.rawValue, .bad)
        case .neverFired: .init("never fired", .doubtful)
        case .notTried: .init("not tried", .faint)
        }
    }

    private static func words(_ fault: FaultReport) -> String {
        switch fault.outcome {
        case .notTried: return fault.detail ?? fault.rule
        case .neverFired: return "\(fault.rule)  (matched \(fault.matched))"
        case .survived, .refused, .violation:
            let more = fault.fired > 1 ? "\(fault.fired) times" : fault.faults.first ?? ""
            if let failing = fault.failingPlaces {
                return "\(fault.rule)  (\(more); wrong at \(failing) of \(fault.places ?? 1) places)"
            }
            let others = (fault.places ?? 1) - 1
            let places =
                others == 0
                ? ""
                : fault.outcome == .violation
                    ? "; the \(others) tried before it: right" : "; right at \(others) more, too"
            return "\(fault.rule)  (\(more)\(places))"
        }
    }
}
