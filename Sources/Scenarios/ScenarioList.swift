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
    ]

    package static var names: [ScenarioName] { all.map { $0.name } }

    package static func named(_ name: ScenarioName) -> (any Scenario.Type)? { all.first { $0.name == name } }

    /// Options of any scenario that may stand there, each name once.
    package static func optionNames(in place: OptionPlace) -> [String] {
        var names: [String] = []
        for option in all.flatMap({ $0.declarations })
        where option.places.contains(place) && !names.contains(option.name) {
            names.append(option.name)
        }
        return names
    }

    /// What the doctor examines.
    package static var subjects: [Doctor.Subject] { all.map { ($0.name.rawValue, $0.summary, $0.needs) } }
}
