import Runs

extension RunPlan {
    /// The plan of `request`.
    package init(of request: RunRequest) {
        var options: [String: OptionValue] = [:]
        for option in type(of: request.scenario).declarations {
            guard let key = option.planKey else { continue }
            options[key] = OptionValue(option.kind, request.scenario.texts(of: option.name))
        }
        self.init(
            scenario: request.scenario.name, profile: request.profiles.name, contract: request.contract.name,
            seed: request.seed, operationCount: request.operationCount, valueBytes: request.shape.valueBytes,
            threadCount: request.shape.threadCount, options: options)
    }
}

extension OptionValue {
    /// - Parameter texts: the value as the option prints it. The result is nil for an unset number or text.
    package init?(_ kind: OptionDeclaration.Kind, _ texts: [String]) {
        switch kind {
        case .flag: self = .flag(!texts.isEmpty)
        case .texts: self = .texts(texts)
        case .integer:
            guard let number = texts.last.flatMap({ Int($0) }) else { return nil }
            self = .number(number)
        case .text:
            guard let text = texts.last else { return nil }
            self = .text(text)
        }
    }
}
