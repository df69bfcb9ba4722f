import Machine
import Runs

/// Every scenario of this version. Commands, matrices, the doctor and the docs read this list.
package enum ScenarioList {
    package static let all: [any Scenario.Type] = [
        SmokeScenario.self,
        PowerCutScenario.self,
        KillScenario.self,
        IOErrorScenario.self,
        ExploreScenario.self,
        BlockScenario.self,
        LogWritesScenario.self,
        PowerOffScenario.self,
        FlakeyScenario.self,
        SoakScenario.self,
    ]

    package static var names: [ScenarioName] { all.map { $0.name } }

    package static func named(_ name: ScenarioName) -> (any Scenario.Type)? { all.first { $0.name == name } }

    /// The names of the options that `place` allows, over all scenarios, without duplicates.
    package static func optionNames(in place: OptionPlace) -> [String] {
        var names: [String] = []
        for option in all.flatMap({ $0.declarations })
        where option.places.contains(place) && !names.contains(option.name) {
            names.append(option.name)
        }
        return names
    }

    /// Each scenario's name, summary and needs, for the doctor to check.
    package static var subjects: [Doctor.Subject] { all.map { ($0.name.rawValue, $0.summary, $0.needs) } }
}
