import Model
import Oracle
import Runs
import Scenarios

/// The results of a run by profile, strongest first.
struct ProfileTable {
    private let profiles: [RunResult.UnderProfile]

    init(_ profiles: [RunResult.UnderProfile]) { self.profiles = profiles }

    func lines(for terminal: Terminal) -> [ReportLine] {
        var table = Table([
            .init("profile"), .init("verdict"), .init("states", .right), .init("failing", .right),
            .init("epochs", .right), .init("torn", .right), .init("exhaustive", .right),
        ])
        for one in profiles {
            table.add([
                .init(one.profile.rawValue),
                .init(RunReport.verdict(one.verdict, one.explored), RunReport.style(of: one.verdict)),
                .init("\(one.decided)"), .init("\(one.failingStates)"), .init("\(one.explored)"),
                .init(one.explored.torn.map { "\($0)" } ?? ""),
                .init("\(one.explored.exhaustive)"),
            ])
        }
        let notDerived = profiles.compactMap { one in
            one.notDerived.map { ReportLine("\(one.profile.rawValue): \($0)") }
        }
        return table.lines(for: terminal) + [ReportLine(summary)] + notDerived
    }

    /// `strongest that fails: ext4-ordered; pass: kill, strict, ext4-journal`
    private var summary: String {
        func names(_ verdict: Verdict) -> [String] {
            profiles.filter { $0.verdict == verdict }.map(\.profile.rawValue)
        }
        let passing = names(.pass).joined(separator: ", ")
        let parts = [
            names(.violation).first.map { "strongest that fails: \($0)" } ?? "none fails",
            passing.isEmpty ? "none passes" : "pass: \(passing)",
        ]
        return parts.joined(separator: "; ")
    }
}
