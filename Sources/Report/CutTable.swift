import Runs
import Scenarios

/// The power cuts of a run.
struct CutTable {
    private let cuts: [CutReport]

    init(_ cuts: [CutReport]) { self.cuts = cuts }

    func lines(for terminal: Terminal) -> [ReportLine] {
        var table = Table([.init("cut", .right), .init("aimed at"), .init("outcome"), .init("where the power went")])
        for cut in cuts {
            table.add([.init("\(cut.cycle)"), .init("\(cut.aim)"), Self.outcome(cut), .init(Self.words(cut))])
        }
        return table.lines(for: terminal)
    }

    private static func outcome(_ cut: CutReport) -> Table.Cell {
        switch cut.outcome {
        case .fired: .init(cut.outcome.rawValue, .good)
        case .neverFired: .init("never fired", .doubtful)
        case .notTried: .init("not tried", .faint)
        }
    }

    private static func words(_ cut: CutReport) -> String {
        switch cut.outcome {
        case .fired: cut.hit ?? ""
        case .neverFired: "\(cut.placed ?? "\(cut.aim)")  (never came)"
        case .notTried: cut.detail ?? ""
        }
    }
}
