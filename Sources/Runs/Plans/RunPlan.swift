/// The parameters of a run as stored in a case, so that `recheck` can repeat it: all but the target and the time
/// limits.
///
/// Cases are untrusted input, and a plan validates nothing. The code that turns a plan into a run must check every
/// value.
package struct RunPlan: Hashable, Sendable {
    package var scenario: ScenarioName
    /// A profile's name, or `all`.
    package var profile: String
    package var contract: String
    package var seed: UInt64
    package var operationCount: UInt64
    package var valueBytes: Int?
    package var threadCount: Int
    /// The scenario's options by their path in the file: `exploration.depth`.
    package var options: [String: OptionValue]

    package init(
        scenario: ScenarioName, profile: String, contract: String, seed: UInt64, operationCount: UInt64,
        valueBytes: Int?, threadCount: Int, options: [String: OptionValue]
    ) {
        self.scenario = scenario
        self.profile = profile
        self.contract = contract
        self.seed = seed
        self.operationCount = operationCount
        self.valueBytes = valueBytes
        self.threadCount = threadCount
        self.options = options
    }
}

extension RunPlan: Codable {
    private enum Key: String, CaseIterable {
        case scenario, profile, contract, seed, operationCount, valueBytes, threadCount

        var coding: OptionKey { OptionKey(stringValue: rawValue) }
    }

    /// Format version 1 requires these in the plan of every scenario.
    private static let always: [String: OptionValue] = [
        "cycles": .number(0), "cutAims": .texts([]), "rules": .texts([]),
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
        options = try fields.options(besides: Set(Key.allCases.map(\.rawValue)))
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
        for (key, value) in Self.always.merging(options, uniquingKeysWith: { $1 }) {
            try fields.encode(value, at: key.split(separator: "."))
        }
    }
}
