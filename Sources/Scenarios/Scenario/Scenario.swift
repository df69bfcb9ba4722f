import Exploration
import Machine
import Model
import Runs
import Targets

/// A way to fail a store. A value says how: it holds what the scenario's options say.
///
/// Options are declared once, in `options`: the flags of `faultline run`, the keys of a matrix, the printed command, what a
/// case keeps, the help and the table in docs/scenarios.md follow from that list. A new scenario is a folder with such a
/// type and a line in `ScenarioList`.
package protocol Scenario: Sendable {
    static var name: ScenarioName { get }
    /// What it does, in one line.
    static var summary: String { get }
    /// In the order in which they are read, shown and printed.
    static var options: [ScenarioOption<Self>] { get }
    /// The subcommand of `faultline` that is this scenario by itself; nil for one of `faultline run`.
    static var subcommand: String? { get }
    /// What it needs of the machine beside the target's programs, whatever its options and its target are.
    static var needs: [MachineNeed] { get }
    /// Whether the store meets a fault in it: without one no known finding can show.
    static var hasFaults: Bool { get }
    /// Whether what is lost follows a profile, so that weaker ones than the run's were not tried.
    static var losesByProfile: Bool { get }
    /// Whether one run can go through every profile (`--profile all`).
    static var takesEveryProfile: Bool { get }

    /// As it is without any option.
    init()

    /// How long it may go on; nil for a scenario that comes to its end by itself.
    var budget: RunBudget? { get set }
    /// The one profile that it works under, whatever is asked for; nil for one that works under any.
    var ownProfile: Profile? { get }
    /// The filesystem and the device below the store, of a scenario that has real ones.
    var block: BlockSetup? { get }
    /// It goes on with a run that was stopped.
    var continuesRun: Bool { get }
    /// Ends as soon as this cause shows, where the scenario can.
    mutating func seek(_ cause: SoughtCause)

    /// What a run with these options needs of the machine.
    func needs(on target: ConfiguredTarget) -> [MachineNeed]
    /// Why `request`, which holds this scenario, cannot be carried out whatever happens; nil where it can.
    ///
    /// - Parameters:
    ///   - place: where its options were given; nil for the run of a case.
    ///   - program: how commands name this program.
    func objection(to request: RunRequest, from place: OptionPlace?, program: String) -> OptionProblem?
    /// A run of `request`, which holds this scenario.
    ///
    /// - Parameter program: how commands name this program.
    func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun
    /// Why a run that found nothing, and whose validator is not blind, shows nothing all the same; nil where it does.
    func doubt(about tally: RunTally) -> Doubt?
}

extension Scenario {
    package static var subcommand: String? { nil }
    package static var needs: [MachineNeed] { [] }
    package static var hasFaults: Bool { true }
    package static var losesByProfile: Bool { false }
    package static var takesEveryProfile: Bool { false }

    package var budget: RunBudget? {
        get { nil }
        set {}
    }
    package var ownProfile: Profile? { block.map { _ in .block } }
    package var block: BlockSetup? { nil }
    package var continuesRun: Bool { false }
    package mutating func seek(_ cause: SoughtCause) {}
    package func needs(on target: ConfiguredTarget) -> [MachineNeed] { Self.needs }
    package func objection(
        to request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? { nil }

    package var name: ScenarioName { Self.name }
}

/// One run of a scenario: it counts while it goes, so that what was found stands even if it ends early with an error.
package protocol ScenarioRun {
    var tally: RunTally { get }
    mutating func run() throws
}
