extension Scenario {
    package static var declarations: [OptionDeclaration] { options.map(\.declaration) }

    /// Whether this option may be given there.
    package static func hasOption(_ name: String, in place: OptionPlace) -> Bool {
        declarations.contains { $0.name == name && $0.places.contains(place) }
    }

    /// Whether it has this option, there, and the option means something.
    package static func takes(_ option: String, in place: OptionPlace) -> Bool {
        declarations.contains { $0.name == option && $0.places.contains(place) && !$0.isObsolete }
    }

    /// The same of what a case keeps: where it came from does not matter.
    package static func reading(_ values: [String: [String]]) throws(OptionProblem) -> Self {
        var scenario = Self()
        for option in options {
            if let texts = values[option.declaration.name] { try option.read(&scenario, texts) }
        }
        return scenario
    }

    /// The arguments that say what differs from the defaults, limits or all else.
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

    /// The present value of an option; empty where it is not set, or where there is no such option.
    package func texts(of option: String) -> [String] {
        Self.options.first { $0.declaration.name == option }?.texts(self) ?? []
    }
}
