import ArgumentParser
import Bytes
import Runs
import Scenarios

/// Selects the scenarios whose options a command takes.
protocol ScenarioSelection: Sendable {
    static var scenarios: [any Scenario.Type] { get }
    /// Made once: the argument parser asks several times.
    static var options: [DescribedOption] { get }
}

/// `run`: the scenario that `--scenario` names.
enum AnyScenario: ScenarioSelection {
    static let scenarios: [any Scenario.Type] = ScenarioList.all
    static let options = DescribedOption.all(of: scenarios)
}

/// `explore`
enum OnlyExplore: ScenarioSelection {
    static let scenarios: [any Scenario.Type] = [ExploreScenario.self]
    static let options = DescribedOption.all(of: scenarios)
}

/// `soak`
enum OnlySoak: ScenarioSelection {
    static let scenarios: [any Scenario.Type] = [SoakScenario.self]
    static let options = DescribedOption.all(of: scenarios)
}

/// An option of the command line with its help.
struct DescribedOption {
    let declaration: OptionDeclaration
    let help: String

    /// Each option once, whichever of the scenarios have it.
    static func all(of scenarios: [any Scenario.Type]) -> [DescribedOption] {
        var names: Set<String> = []
        let all = scenarios.flatMap { $0.declarations }
        return (all.filter { !$0.isObsolete } + all.filter(\.isObsolete))
            .filter { $0.places.contains(.commandLine) && names.insert($0.name).inserted }
            .map { DescribedOption(declaration: $0, help: OptionHelp.text(of: $0.name, in: scenarios)) }
    }
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
        for option in Selection.options.map(\.declaration) {
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
            self, children: Selection.options.map { (label: $0.declaration.name, value: Self.argument($0)) },
            displayStyle: .struct)
    }

    private static func argument(_ described: DescribedOption) -> Any {
        let option = described.declaration
        let help = ArgumentHelp(described.help, valueName: option.valueName)
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
