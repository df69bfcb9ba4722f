extension Scenario {
    /// Makes the scenario from these options. Throws for an option of another scenario, an invalid value, and options
    /// that exclude each other.
    ///
    /// - Parameter values: the option texts by name; `["true"]` for a flag.
    package static func reading(
        _ values: [String: [String]], in place: OptionPlace
    ) throws(OptionProblem) -> Self {
        for name in values.keys.sorted() {
            guard let option = declarations.first(where: { $0.name == name && $0.places.contains(place) }) else {
                throw OptionProblem(name, ScenarioList.belonging(name, in: place))
            }
            if let other = option.excluded.first(where: { values[$0] != nil }) {
                throw OptionProblem(name, "\(option: name) and \(option: other) exclude each other")
            }
            if let other = option.needed, values[other] == nil {
                throw OptionProblem(name, "\(option: name) means nothing without \(option: other)")
            }
        }
        return try reading(values)
    }
}

extension ScenarioList {
    /// The error text for an option of other scenarios: `--sweep is for --scenario io-error`.
    package static func belonging(_ option: String, in place: OptionPlace) -> OptionProblem.Reason {
        let takers = all.filter { $0.takes(option, in: place) }
        let names = takers.map { $0.name.rawValue }
        let listed =
            names.count < 2
            ? names.joined() : "\(names.dropLast().joined(separator: ", ")) and \(names[names.count - 1])"
        switch place {
        case .matrix: return "\(option: option) is for scenario: \(listed)"
        case .commandLine:
            if takers.count == 1, let command = takers[0].subcommand {
                return "\(option: option) is for faultline \(command)"
            }
            return "\(option: option) is for --scenario \(listed)"
        }
    }
}
