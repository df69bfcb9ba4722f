/// The help of options, made from their declarations.
package enum OptionHelp {
    /// The help of an option. If several scenarios have it, the text for each, with the scenario's name.
    package static func text(of name: String, in scenarios: [any Scenario.Type]) -> String {
        var parts: [(scenarios: [String], text: String)] = []
        for scenario in scenarios {
            guard let option = scenario.declarations.first(where: { $0.name == name && !$0.isObsolete }) else {
                continue
            }
            let text = option.helpWithDefault
            if let known = parts.firstIndex(where: { $0.text == text }) {
                parts[known].scenarios.append(scenario.name.rawValue)
            } else {
                parts.append(([scenario.name.rawValue], text))
            }
        }
        if scenarios.count == 1, let text = parts.first?.text {
            return text.prefix(1).uppercased() + text.dropFirst() + "."
        }
        return parts.map { "\($0.scenarios.joined(separator: ", ")): \($0.text)." }.joined(separator: " ")
    }
}

extension OptionDeclaration {
    package var helpWithDefault: String { help + (defaultText.map { " (default: \($0))" } ?? "") }
}
