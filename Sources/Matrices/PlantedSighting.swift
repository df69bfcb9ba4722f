import Engine
import Exploration
import Machine
import Model
import Oracle
import Runs
import Scenarios
import Targets

/// One run that shows a planted bug: which scenario catches it, how it is asked to, and which check names it.
///
/// Together they are the table "which scenario catches which bug"; a test does every run, and replays its case.
/// docs/planted-bugs.md tells the story of each that `explore` catches.
package struct PlantedSighting: Hashable, Sendable {
    package var scenario: ScenarioName
    package var check: Check
    /// `engine` for the key-value view, `events` for the event view.
    package var target = "engine"
    /// Parameters of the target, beside the bug itself.
    package var settings: [String: String] = [:]
    /// Under which the run is.
    package var profile = Profile.posixMin
    package var operationCount: UInt64 = 100
    package var cycles = 6
    /// `kill` only: the process dies at this acknowledgement instead of a seeded time.
    package var killAtAcknowledgement: UInt64?
    /// `io-error` and `explore`: the faults.
    package var rules: [String] = []
    /// `explore` only.
    package var exploring = Exploring()

    /// What `explore` is asked for, and what it must find.
    package struct Exploring: Hashable, Sendable {
        /// The strongest profile that shows it.
        package var strongest = Profile.strict
        /// How many things are lost once the state is as small as can be.
        package var lostCount = 0
        package var crashesRecovery = false
        package var writesAfterRecovery = false
        package var valueBytes: Int?
        /// Nil for the usual number.
        package var epochStates: Int?
        package var samples: Int?
    }

    /// The run, of this target.
    package func request(planting bug: String, _ targets: TargetCatalog) throws -> RunRequest {
        let target = try targets.target(target).configured(
            ([("planted", bug)] + settings.sorted { $0.key < $1.key }).map { Setting(name: $0.0, value: $0.1) })
        guard let type = ScenarioList.named(scenario) else {
            throw RunError.harness("there is no scenario \(scenario)")
        }
        var request = RunRequest(
            target: target, scenario: try type.reading(options(of: type), in: .commandLine), profile: profile,
            contract: target.contract, operationCount: operationCount)
        request.shape.valueBytes = exploring.valueBytes
        return request
    }

    /// The scenario's options by their names.
    private func options(of type: any Scenario.Type) -> [String: [String]] {
        var options: [String: [String]] = [:]
        if type.takes("cycles", in: .commandLine) { options["cycles"] = ["\(cycles)"] }
        options["kill-at-ack"] = killAtAcknowledgement.map { ["\($0)"] }
        options["rule"] = rules.isEmpty ? nil : rules
        options["depth"] = exploring.crashesRecovery ? ["2"] : nil
        options["writable"] = exploring.writesAfterRecovery ? ["true"] : nil
        options["epoch-states"] = exploring.epochStates.map { ["\($0)"] }
        options["samples"] = exploring.samples.map { ["\($0)"] }
        return options
    }

    /// The arguments that ask for the run, without those that say what is usual.
    package func arguments(planting bug: String) -> [String] {
        var words = scenario == .explore ? ["explore", target] : ["run", target, "--scenario", scenario.rawValue]
        words += ["--set", "planted=\(bug)"]
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) { words += ["--set", "\(name)=\(value)"] }
        if scenario != .smoke, scenario != .kill { words += ["--profile", profile.rawValue] }
        words += ["--ops", "\(operationCount)"]
        if scenario != .explore, scenario != .smoke { words += ["--cycles", "\(cycles)"] }
        if let killAtAcknowledgement { words += ["--kill-at-ack", "\(killAtAcknowledgement)"] }
        if exploring.crashesRecovery { words += ["--depth", "2"] }
        if exploring.writesAfterRecovery { words.append("--writable") }
        if let count = exploring.valueBytes { words += ["--value-len", "\(count)"] }
        if let count = exploring.epochStates { words += ["--epoch-states", "\(count)"] }
        if let count = exploring.samples { words += ["--samples", "\(count)"] }
        for rule in rules { words += ["--rule", rule] }
        return words
    }

    /// The command, as it is typed into a shell.
    package func command(planting bug: String, program: String) -> String {
        ([program] + arguments(planting: bug)).map { ReproduceScript.quoted($0) }.joined(separator: " ")
    }
}
