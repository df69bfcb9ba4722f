import Bytes
import Oracle
import Runs
import Targets

extension RunPlan {
    /// Makes the request that repeats the run. Throws `CaseError` for a value that no run can have.
    ///
    /// - Parameter path: the file that holds the plan, for errors.
    package func request(_ target: ConfiguredTarget, path: ByteString) throws -> RunRequest {
        func refuse(_ field: String, _ value: String) -> CaseError {
            .unknownValue(path, field: "run.\(field)", value: value)
        }
        guard let contract = Contract(named: contract) else { throw refuse("contract", self.contract) }
        guard WorkloadShape.operationRange.contains(Int(clamping: operationCount)) else {
            throw refuse("operationCount", "\(operationCount)")
        }
        guard WorkloadShape.threadRange.contains(threadCount) else { throw refuse("threadCount", "\(threadCount)") }
        guard WorkloadShape.valueRange.contains(valueBytes ?? 1) else {
            throw refuse("valueBytes", valueBytes.map(String.init) ?? "")
        }
        guard let type = ScenarioList.named(scenario) else { throw refuse("scenario", "\(scenario)") }
        guard let profiles = ProfileChoice(named: profile) else { throw refuse("profile", profile) }
        if let key = firstForeignKey(for: type) {
            throw refuse(key, options[key]?.texts?.joined(separator: ", ") ?? "")
        }
        func refuse(_ problem: OptionProblem) -> CaseError {
            switch problem.option {
            case "threads": return refuse("threadCount", "\(threadCount)")
            case "profile": return refuse("profile", profile)
            case "contract": return refuse("contract", self.contract)
            default: break
            }
            let key = type.declarations.first { $0.name == problem.option }?.planKey
            let texts = key.flatMap { options[$0]?.texts } ?? []
            return refuse(key ?? "scenario", texts.joined(separator: ", "))
        }
        do throws(OptionProblem) {
            var request = RunRequest(
                target: target, scenario: try type.reading(texts(for: type)), profiles: profiles, contract: contract,
                seed: seed, operationCount: operationCount)
            guard profiles != .one(.block) || request.scenario.fixedProfile == .block else {
                throw OptionProblem("profile", "\(option: "profile") block is for block devices")
            }
            (request.shape.valueBytes, request.shape.threadCount) = (valueBytes, threadCount)
            if let problem = request.optionProblem(from: nil, program: "faultline") { throw problem }
            return request
        } catch {
            throw refuse(error)
        }
    }

    /// The first option that belongs only to other scenarios and has a value; nil if there is none.
    private func firstForeignKey(for type: any Scenario.Type) -> String? {
        func keys(_ type: any Scenario.Type) -> [String] { type.declarations.compactMap(\.planKey) }
        let others = Set(ScenarioList.all.flatMap(keys)).subtracting(keys(type))
        return others.sorted().first { options[$0].map { !$0.isBlank } ?? false }
    }

    /// The option texts for this scenario, by name.
    private func texts(for type: any Scenario.Type) throws(OptionProblem) -> [String: [String]] {
        var texts: [String: [String]] = [:]
        for option in type.declarations {
            guard let key = option.planKey, let value = options[key] else { continue }
            guard value.isOf(option.kind) else { throw OptionProblem(option.name, "a value of another kind") }
            texts[option.name] = value.texts
        }
        return texts
    }
}

extension OptionValue {
    fileprivate func isOf(_ kind: OptionDeclaration.Kind) -> Bool {
        switch (self, kind) {
        case (.flag, .flag), (.number, .integer), (.text, .text), (.texts, .texts): true
        default: false
        }
    }
}
