import Exploration
import Machine
import Model
import Runs
import Targets

/// A way to fail a store. A value holds the options of the scenario.
///
/// `options` is the only declaration of the options: the flags of `faultline run`, the keys of a matrix, the printed
/// command, the contents of a case, the help and the table in docs/scenarios.md follow from it. A new scenario is a
/// folder with such a type and a line in `ScenarioList`.
package protocol Scenario: Sendable {
    static var name: ScenarioName { get }
    /// A summary in one line.
    static var summary: String { get }
    /// The options, in the order of parsing, help and printing.
    static var options: [ScenarioOption<Self>] { get }
    /// The subcommand of `faultline` for this scenario; nil for a scenario of `faultline run`.
    static var subcommand: String? { get }
    /// What every run needs from the machine, in addition to the target's programs.
    static var needs: [MachineNeed] { get }
    /// How the store is failed.
    static var failureMode: FailureMode { get }
    /// Whether the losses depend on the profile; weaker profiles than the run's are then untested.
    static var losesByProfile: Bool { get }
    /// Whether one run can test all profiles (`--profile all`).
    static var takesEveryProfile: Bool { get }

    /// The scenario with default options.
    init()

    /// The time budget; nil for a scenario that has none.
    var budget: RunBudget? { get set }
    /// The profile of the scenario, in place of the chosen ones; nil if it works under any profile.
    var fixedProfile: Profile? { get }
    /// The filesystem and the device below the store; nil if the scenario has no real ones.
    var block: BlockSetup? { get }
    /// Whether the run resumes a stopped one.
    var continuesRun: Bool { get }
    /// Stop the run as soon as this cause is found, if the scenario supports it.
    mutating func seek(_ cause: TargetCause)

    /// What a run with these options needs from the machine.
    func needs(on target: ConfiguredTarget) -> [MachineNeed]
    /// The reason why `request`, which holds this scenario, is invalid; nil if it is valid.
    ///
    /// - Parameters:
    ///   - place: the place of its options; nil for the run of a case.
    ///   - program: the name of this program in commands.
    func optionProblem(in request: RunRequest, from place: OptionPlace?, program: String) -> OptionProblem?
    /// Makes a run of `request`, which holds this scenario.
    ///
    /// - Parameter program: the name of this program in commands.
    func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun
    /// The reason why a run without findings, whose mutations were detected, is inconclusive; nil if it is a pass.
    func inconclusiveReason(for tally: RunTally) -> InconclusiveReason?
}

extension Scenario {
    package static var subcommand: String? { nil }
    package static var needs: [MachineNeed] { [] }
    package static var losesByProfile: Bool { false }
    package static var takesEveryProfile: Bool { false }

    package var budget: RunBudget? {
        get { nil }
        set {}
    }
    package var fixedProfile: Profile? { block.map { _ in .block } }
    package var block: BlockSetup? { nil }
    package var continuesRun: Bool { false }
    package mutating func seek(_ cause: TargetCause) {}
    package func needs(on target: ConfiguredTarget) -> [MachineNeed] { Self.needs }
    package func optionProblem(
        in request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? { nil }

    package var name: ScenarioName { Self.name }
}

/// A run of a scenario. It updates `tally` as it goes, so that findings are kept if it ends with an error.
package protocol ScenarioRun {
    var tally: RunTally { get }
    mutating func run() throws
}
