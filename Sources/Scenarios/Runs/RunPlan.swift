import Bytes
import Model
import Oracle
import Targets

/// What a run was asked to do, as a case keeps it, so that `recheck` can do the same run again: everything of a
/// `RunRequest` but the target and what limits the time.
///
/// A case may come from anywhere: `request` checks every value.
package struct RunPlan: Hashable, Sendable {
    package var scenario: ScenarioName
    /// A profile's name, or `all`.
    package var profile: String
    package var contract: String
    package var seed: UInt64
    package var operationCount: UInt64
    package var valueBytes: Int?
    package var threadCount: Int
    /// The scenario's options by their names, as far as a case keeps them.
    package var options: [String: OptionValue]
    /// What stands where other scenarios have options: no run has both.
    private var foreign: [String: OptionValue] = [:]

    package init(of request: RunRequest) {
        scenario = request.scenario.name
        profile = request.profiles.name
        contract = request.contract.name
        seed = request.seed
        operationCount = request.operationCount
        valueBytes = request.shape.valueBytes
        threadCount = request.shape.threadCount
        options = [:]
        for option in type(of: request.scenario).declarations where option.planKey != nil {
            options[option.name] = OptionValue(option.kind, request.scenario.texts(of: option.name))
        }
    }

    /// The run once more.
    ///
    /// - Parameter path: the file that holds the plan, for errors.
    package func request(_ target: ConfiguredTarget, path: ByteString) throws -> RunRequest {
        func refuse(_ field: String, _ value: String) -> CaseError {
            .unknownValue(path, field: "run.\(field)", value: value)
        }
        guard let contract = Contract(named: contract) else { throw refuse("contract", self.contract) }
        guard (1...1_000_000).contains(operationCount) else { throw refuse("operationCount", "\(operationCount)") }
        guard WorkloadShape.threadRange.contains(threadCount) else { throw refuse("threadCount", "\(threadCount)") }
        guard WorkloadShape.valueRange.contains(valueBytes ?? 1) else {
            throw refuse("valueBytes", valueBytes.map(String.init) ?? "")
        }
        guard let type = ScenarioList.named(scenario) else { throw refuse("scenario", "\(scenario)") }
        if let (key, value) = foreign.min(by: { $0.key < $1.key }) {
            throw refuse(key, value.texts?.joined(separator: ", ") ?? "")
        }
        guard let profiles = ProfileChoice(named: profile) else { throw refuse("profile", profile) }
        func refuse(_ problem: OptionProblem) -> CaseError {
            switch problem.option {
            case "threads": return refuse("threadCount", "\(threadCount)")
            case "profile": return refuse("profile", profile)
            case "contract": return refuse("contract", self.contract)
            default: break
            }
            let option = type.declarations.first { $0.name == problem.option }
            let texts = problem.option.flatMap { options[$0]?.texts } ?? []
            return refuse(option?.planKey ?? "scenario", texts.joined(separator: ", "))
        }
        do throws(OptionProblem) {
            var request = RunRequest(
                target: target, scenario: try type.reading(options.compactMapValues(\.texts)), profiles: profiles,
                contract: contract, seed: seed, operationCount: operationCount)
            guard profiles != .one(.block) || request.scenario.ownProfile == .block else {
                throw OptionProblem("profile", "\(option: "profile") block is for block devices")
            }
            (request.shape.valueBytes, request.shape.threadCount) = (valueBytes, threadCount)
            if let problem = request.objection(from: nil, program: "faultline") { throw problem }
            return request
        } catch {
            throw refuse(error)
        }
    }
}

extension RunPlan: Codable {
    private enum Key: String {
        case scenario, profile, contract, seed, operationCount, valueBytes, threadCount

        var coding: OptionKey { OptionKey(stringValue: rawValue) }
    }

    /// Version 1 of the format has these in the plan of every scenario.
    private static let always: [(key: String, value: OptionValue)] = [
        ("cycles", .number(0)), ("cutAims", .texts([])), ("rules", .texts([])),
    ]

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: OptionKey.self)
        scenario = try fields.decode(ScenarioName.self, forKey: Key.scenario.coding)
        profile = try fields.decode(String.self, forKey: Key.profile.coding)
        contract = try fields.decode(String.self, forKey: Key.contract.coding)
        seed = try fields.decode(UInt64.self, forKey: Key.seed.coding)
        operationCount = try fields.decode(UInt64.self, forKey: Key.operationCount.coding)
        valueBytes = try fields.decodeIfPresent(Int.self, forKey: Key.valueBytes.coding)
        threadCount = try fields.decode(Int.self, forKey: Key.threadCount.coding)
        options = [:]
        let own = ScenarioList.named(scenario)?.declarations ?? []
        for option in own {
            guard let path = option.planKey?.split(separator: ".") else { continue }
            options[option.name] = try fields.option(option.kind, at: path)
        }
        for option in ScenarioList.all.flatMap({ $0.declarations }) {
            guard let key = option.planKey, !own.contains(where: { $0.planKey == key }) else { continue }
            let value = try fields.option(option.kind, at: key.split(separator: "."))
            if let value, value.texts ?? [] != [], value != .number(0) { foreign[key] = value }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: OptionKey.self)
        try fields.encode(scenario, forKey: Key.scenario.coding)
        try fields.encode(profile, forKey: Key.profile.coding)
        try fields.encode(contract, forKey: Key.contract.coding)
        try fields.encode(seed, forKey: Key.seed.coding)
        try fields.encode(operationCount, forKey: Key.operationCount.coding)
        try fields.encodeIfPresent(valueBytes, forKey: Key.valueBytes.coding)
        try fields.encode(threadCount, forKey: Key.threadCount.coding)
        for (key, value) in Self.always { try fields.encode(value, at: [key[...]]) }
        for option in ScenarioList.named(scenario)?.declarations ?? [] {
            guard let path = option.planKey?.split(separator: "."), let value = options[option.name] else { continue }
            try fields.encode(value, at: path)
        }
    }
}
