extension Scenario {
    package static var declarations: [OptionDeclaration] { options.map(\.declaration) }

    /// Whether this option may be given in this place.
    package static func hasOption(_ name: String, in place: OptionPlace) -> Bool {
        declarations.contains { $0.name == name && $0.places.contains(place) }
    }

    /// Whether this option may be given in this place and is not obsolete.
    package static func takes(_ option: String, in place: OptionPlace) -> Bool {
        declarations.contains { $0.name == option && $0.places.contains(place) && !$0.isObsolete }
    }

    /// Makes the scenario from the options in a case. It ignores the places where they may be given, and unknown
    /// options.
    package static func reading(_ values: [String: [String]]) throws(OptionProblem) -> Self {
        var scenario = Self()
        for option in options {
            if let texts = values[option.declaration.name] { try option.read(&scenario, texts) }
        }
        return scenario
    }

    /// The arguments for options that differ from their defaults: only the limits, or all others.
    package func words(limits: Bool) -> [String] {
        let usual = Self()
        return Self.options.filter { $0.declaration.isLimit == limits }.flatMap { option -> [String] in
            let texts = option.texts(self)
            guard option.declaration.isAlwaysPrinted || texts != option.texts(usual) else { return [] }
            let name = OptionPlace.commandLine.spelling(of: option.declaration.name)
            return option.declaration.kind == .flag ? texts.map { _ in name } : texts.flatMap { [name, $0] }
        }
    }

    /// The options that differ from their defaults.
    package var changed: [(option: OptionDeclaration, texts: [String])] {
        let usual = Self()
        return Self.options.map { ($0.declaration, $0.texts(self)) }.enumerated()
            .filter { $0.element.1 != Self.options[$0.offset].texts(usual) }.map(\.element)
    }

    /// The current value of an option; empty if it is not set or does not exist.
    package func texts(of option: String) -> [String] {
        Self.options.first { $0.declaration.name == option }?.texts(self) ?? []
    }
}
