import ArgumentParser
import Bytes
import Runs
import Scenarios

/// Selects the scenarios whose options a command takes.
protocol ScenarioSelection: Sendable {
    static var scenarios: [any Scenario.Type] { get }
}

/// `run`: the scenario that `--scenario` names.
enum AnyScenario: ScenarioSelection {
    static var scenarios: [any Scenario.Type] { ScenarioList.all }
}

/// `explore`
enum OnlyExplore: ScenarioSelection {
    static var scenarios: [any Scenario.Type] { [ExploreScenario.self] }
}

/// `soak`
enum OnlySoak: ScenarioSelection {
    static var scenarios: [any Scenario.Type] { [SoakScenario.self] }
}

/// The options of scenarios as arguments of a command, made from their declarations.
///
/// ArgumentParser looks for its property wrappers in the mirror of a type, and decodes each by the name that it has there:
/// this mirror has one for each declared option.
struct ScenarioArguments<Selection: ScenarioSelection>: ParsableArguments, CustomReflectable {
    /// By the option's name; `["true"]` for a flag.
    private(set) var values: [String: [String]] = [:]

    init() {}

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let arguments = try decoder.container(keyedBy: Key.self)
        for option in Self.options {
            let key = Key(stringValue: option.name)
            switch option.kind {
            case .flag:
                if try arguments.decode(Flag<Bool>.self, forKey: key).wrappedValue { values[option.name] = ["true"] }
            case .texts:
                let texts = try arguments.decode(Option<[String]>.self, forKey: key).wrappedValue
                values[option.name] = texts.isEmpty ? nil : texts
            case .integer, .text:
                let text = try arguments.decode(Option<String?>.self, forKey: key).wrappedValue
                values[option.name] = text.map { [$0] }
            }
        }
    }

    var customMirror: Mirror {
        Mirror(
            self, children: Self.options.map { (label: $0.name, value: Self.argument($0)) },
            displayStyle: .struct)
    }

    /// Each option once, whichever of the scenarios have it.
    private static var options: [OptionDeclaration] {
        var options: [OptionDeclaration] = []
        let all = Selection.scenarios.flatMap { $0.declarations }
        for option in all.filter({ !$0.isObsolete }) + all.filter(\.isObsolete)
        where option.places.contains(.commandLine) && !options.contains(where: { $0.name == option.name }) {
            options.append(option)
        }
        return options
    }

    private static func argument(_ option: OptionDeclaration) -> Any {
        let help = ArgumentHelp(
            OptionHelp.text(of: option.name, in: Selection.scenarios), valueName: option.valueName)
        return switch option.kind {
        case .flag: Flag(wrappedValue: false, name: .customLong(option.name), help: help)
        case .texts:
            Option<[String]>(wrappedValue: [], name: .customLong(option.name), parsing: .singleValue, help: help)
        case .integer, .text: Option<String?>(name: .customLong(option.name), help: help)
        }
    }

    /// The scenario as these arguments say.
    func scenario(_ type: any Scenario.Type) throws -> any Scenario {
        do throws(OptionProblem) { return try type.reading(values, in: .commandLine) } catch {
            throw ValidationError(error.text(in: .commandLine))
        }
    }
}

extension ScenarioName: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(rawValue: argument)
        if ScenarioList.named(self) == nil { return nil }
    }

    package static var allValueStrings: [String] { ScenarioList.names.map(\.rawValue) }
}
