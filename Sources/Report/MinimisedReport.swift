import Bytes
import Exploration
import Machine
import Model
import Oracle
import Replay
import Scenarios

/// A case before and after minimisation, for people and programs.
package struct MinimisedReport: ReportSubject {
    /// The size of a crash.
    package struct Size: Encodable, Equatable {
        package var profile: Profile
        package var crashPoint: Int
        /// The number of operations with lost writes.
        package var operationsLost: Int

        init(_ state: CrashState) {
            profile = state.profile
            crashPoint = state.crashPoint
            operationsLost = Set(state.lost.items.map(\.operation)).count
        }

        var words: String {
            "\(operationsLost.counted("operation")) lost, the power cut after event \(crashPoint), \(profile.rawValue)"
        }
    }

    private let before: Size
    /// The size after minimisation; nil if the case no longer fails.
    private let after: Size?
    private let `case`: String?
    private let replay: ReplayReport?
    /// The target arguments of the replay command.
    private let words: [String]
    /// The program's name in printed commands.
    private let program: String

    package var verdict: Verdict { after == nil ? .pass : .violation }

    package var entries: [ReportEntry] {
        [
            ReportEntry(
                replay?.target ?? "case", "minimise, \(before.profile.rawValue)", passing: verdict,
                stories: after.map { [$0.words] } ?? [],
                account: text(for: .plain))
        ]
    }

    private enum CodingKeys: String, CodingKey { case before, after, `case`, replay }

    package init(_ outcome: CaseMinimiser.Outcome, writtenTo directory: ByteString, program: String) {
        self.program = program
        before = Size(outcome.before)
        after = outcome.after?.outcome.state.map(Size.init)
        `case` = outcome.after == nil ? nil : directory.description
        words = outcome.words
        replay = outcome.after.map { ReplayReport($0.replay, $0.outcome) }
    }

    package func text(for terminal: Terminal) -> String {
        guard let after, let `case`, let replay else {
            return "It does not show again: the target recovers this state now, and no case was written.\n"
        }
        let sizes =
            before == after
            ? "  It was as small as it gets: \(after.words); nothing could be left out.\n"
            : "  before: \(before.words)\n  now:    \(after.words)\n"
        let command = ([program, "replay", `case`] + words).map { ReproduceScript.quoted($0) }
        return replay.text(for: terminal) + sizes + [ReportLine("  \(command.joined(separator: " "))")].text
    }
}
