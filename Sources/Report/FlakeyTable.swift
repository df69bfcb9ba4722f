import Block
import Bytes
import Runs
import Scenarios

/// What became of each device that failed.
struct FlakeyTable {
    private let trials: [FlakeyTrial]

    init(_ trials: [FlakeyTrial]) { self.trials = trials }

    /// `violation; 9 operations acknowledged, 1 more while it failed; filesystem read-only`
    static func words(for trial: FlakeyTrial) -> String {
        let later = trial.acknowledgedLater > 0 ? ", \(trial.acknowledgedLater) more while it failed" : ""
        let counts = "\(trial.acknowledged.counted("operation")) acknowledged\(later)"
        let filesystem = Self.reaction(trial).map { "filesystem \($0)" }
        let facts = [cell(trial.outcome).text, counts, filesystem, trial.detail]
        return facts.compactMap(\.self).joined(separator: "; ")
    }

    /// `in the guest: Linux 6.1.0-56-amd64, tcg, 3.1 s, 1.2 s of them to start`
    static func words(for guest: RunResult.GuestFacts) -> String {
        func text(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10) s" }
        let boot = guest.bootSeconds.map { ", \(text($0)) of them to start" } ?? ""
        return "in the guest: Linux \(guest.kernel), \(guest.accelerator), \(text(guest.seconds))\(boot)"
    }

    func lines(for terminal: Terminal) -> [ReportLine] {
        var table = Table([
            .init("the device"), .init("from"), .init("acknowledged"), .init("filesystem"), .init("outcome"), .init(""),
        ])
        for trial in trials {
            let later = trial.acknowledgedLater > 0 ? " + \(trial.acknowledgedLater)" : ""
            table.add([
                .init(trial.fault.rawValue), .init(trial.moment == .afterWorkload ? "the end" : "the middle"),
                .init("\(trial.acknowledged)\(later)"), .init(Self.reaction(trial) ?? ""), Self.cell(trial.outcome),
                .init(trial.detail ?? ""),
            ])
        }
        return table.lines(for: terminal) + notes.map { ReportLine($0) }
    }

    /// A filesystem that goes on has met no error, or has not looked.
    private static func reaction(_ trial: FlakeyTrial) -> String? {
        trial.reaction == FilesystemReaction.State.readWrite.rawValue ? "noticed nothing" : trial.reaction
    }

    private static func cell(_ outcome: FlakeyTrial.Outcome) -> Table.Cell {
        switch outcome {
        case .kept: .init("kept", .good)
        case .violation: .init("violation", .bad)
        case .filesystem: .init("filesystem", .doubtful)
        case .notTried: .init("not tried", .doubtful)
        }
    }

    /// What a reader must know to understand the outcomes.
    private var notes: [String] {
        let isDropped = trials.contains { $0.fault == .dropWrites && $0.outcome != .notTried }
        return isDropped
            ? ["drop_writes lies to the filesystem, too: what was acknowledged after it counts for nothing"] : []
    }
}
