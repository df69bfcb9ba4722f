import Engine
import Exploration
import Machine
import Model
import Oracle
import Runs
import Scenarios
import Targets

/// A run that finds a planted bug: the scenario, its options, and the check that fails.
///
/// `PlantedBug.sightings` is the table "which scenario finds which bug". A test makes every run and replays its case.
/// docs/planted-bugs.md has the story of each bug that `explore` finds.
package struct PlantedSighting: Hashable, Sendable {
    package var scenario: ScenarioName
    package var check: Check
    /// `engine` for the key-value view, `events` for the event view.
    package var target = "engine"
    /// Parameters of the target, beside the bug itself.
    package var settings: [String: String] = [:]
    /// The profile of the run.
    package var profile = Profile.posixMin
    package var operationCount: UInt64 = 100
    package var cycles = 6
    /// `kill` only: the process dies at this acknowledgement instead of a seeded time.
    package var killAtAcknowledgement: UInt64?
    /// `io-error` and `explore`: the faults.
    package var rules: [String] = []
    /// `explore` only.
    package var exploring = Exploring()

    /// Options of `explore`, and what it must find.
    package struct Exploring: Hashable, Sendable {
        /// The strongest profile under which the bug shows.
        package var strongest = Profile.strict
        /// The number of losses in the minimised state.
        package var lostCount = 0
        package var crashesRecovery = false
        package var writesAfterRecovery = false
        package var valueBytes: Int?
        /// nil for the default.
        package var epochStates: Int?
        package var samples: Int?
    }

    /// Whether one power cut shows it, without another fault, a crash during recovery or a write after it.
    package var showsByPowerCut: Bool {
        scenario == .explore && rules.isEmpty && !exploring.crashesRecovery && !exploring.writesAfterRecovery
    }

    /// The request for the run, with the bug planted.
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
        // The page must not depend on the speed of the machine.
        if var explore = request.scenario as? ExploreScenario {
            explore.fixSeconds = nil
            request.scenario = explore
        }
        return request
    }

    /// The values of the scenario's options, by name.
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

    /// The command-line arguments of the run, without defaults.
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
