import Bytes
import Exploration
import Model
import Oracle
import Targets

/// What a run was asked to do, as a case keeps it, so that `recheck` can do the same run again: everything of a
/// `RunRequest` but the target and what limits the time.
///
/// A case may come from anywhere: `request` checks every value.
package struct RunPlan: Codable, Hashable, Sendable {
    package var scenario: Scenario
    /// A profile's name, or `all`.
    package var profile: String
    package var contract: String
    package var seed: UInt64
    package var operationCount: UInt64
    package var valueBytes: Int?
    package var threadCount: Int
    package var cycles: Int
    package var killAtAcknowledgement: UInt64?
    package var killAtFile: String?
    /// As rules and aims print.
    package var cutAims: [String]
    package var rules: [String]
    package var sweepsFaults: Bool?
    package var exploration: Exploration?

    /// How far an exploration goes, without its budgets.
    package struct Exploration: Codable, Hashable, Sendable {
        package var statesPerEpoch: Int
        package var samplesPerEpoch: Int
        package var depth: Int
        package var probesWriting: Bool
        package var usesCommands: Bool
        package var smallWorkloadSteps: Int?
        package var rules: [String]
    }

    package init(of request: RunRequest) {
        scenario = request.scenario
        profile = request.profileName
        contract = request.contract.name
        seed = request.seed
        operationCount = request.operationCount
        valueBytes = request.shape.valueBytes
        threadCount = request.shape.threadCount
        cycles = request.cycles
        switch request.killTrigger {
        case .acknowledgement(let count): killAtAcknowledgement = count
        case .newFile(let glob): killAtFile = "\(glob)"
        case nil: break
        }
        cutAims = request.cutAims.map { "\($0)" }
        rules = request.rules.map { "\($0)" }
        sweepsFaults = request.sweepsFaults ? true : nil
        guard scenario == .explore else { return }
        let limits = request.exploration
        exploration = Exploration(
            statesPerEpoch: limits.statesPerEpoch, samplesPerEpoch: limits.samplesPerEpoch, depth: limits.depth,
            probesWriting: limits.probesWriting, usesCommands: limits.usesCommands,
            smallWorkloadSteps: limits.smallWorkloadSteps, rules: limits.rules.map { "\($0)" })
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
        guard (0...1000).contains(cycles) else { throw refuse("cycles", "\(cycles)") }
        guard WorkloadShape.threadRange.contains(threadCount) else { throw refuse("threadCount", "\(threadCount)") }
        guard WorkloadShape.valueRange.contains(valueBytes ?? 1) else {
            throw refuse("valueBytes", valueBytes.map(String.init) ?? "")
        }
        var request = RunRequest(
            target: target, scenario: scenario, contract: contract, seed: seed, operationCount: operationCount,
            cycles: cycles)
        if profile == RunRequest.everyProfile, scenario == .explore {
            request.usesEveryProfile = true
        } else if let profile = Profile(rawValue: profile), profile != .block {
            request.profile = profile
        } else {
            throw refuse("profile", profile)
        }
        (request.shape.valueBytes, request.shape.threadCount) = (valueBytes, threadCount)
        if let killAtFile { request.killTrigger = .newFile(try Glob(parsing: ByteString(killAtFile))) }
        if let killAtAcknowledgement { request.killTrigger = .acknowledgement(killAtAcknowledgement) }
        request.cutAims = try cutAims.map { (text) throws(CutAimError) in try CutAim(parsing: ByteString(text)) }
        request.rules = try RunPlan.rules(rules) { refuse("rules", $0) }
        request.sweepsFaults = sweepsFaults ?? false
        guard let exploration else { return request }
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("statesPerEpoch", exploration.statesPerEpoch, 1...100_000_000),
            ("samplesPerEpoch", exploration.samplesPerEpoch, 0...1_000_000), ("depth", exploration.depth, 1...2),
            ("smallWorkloadSteps", exploration.smallWorkloadSteps ?? 1, 1...6),
        ]
        for (field, value, range) in ranges where !range.contains(value) { throw refuse(field, "\(value)") }
        request.exploration.statesPerEpoch = exploration.statesPerEpoch
        request.exploration.samplesPerEpoch = exploration.samplesPerEpoch
        request.exploration.depth = exploration.depth
        request.exploration.probesWriting = exploration.probesWriting
        request.exploration.usesCommands = exploration.usesCommands
        request.exploration.smallWorkloadSteps = exploration.smallWorkloadSteps
        request.exploration.rules = try RunPlan.rules(exploration.rules) { refuse("rules", $0) }
        // What the command line refuses, too.
        guard request.storeInMemory == nil || threadCount == 1 else { throw refuse("threadCount", "\(threadCount)") }
        let worksUnderOne = exploration.depth > 1 || exploration.probesWriting || exploration.smallWorkloadSteps != nil
        guard !request.usesEveryProfile || !worksUnderOne else { throw refuse("profile", profile) }
        return request
    }

    private static func rules(_ texts: [String], _ refuse: (String) -> CaseError) throws -> [Rule] {
        try texts.map { text in
            let rule = try Rule(parsing: text)
            // Where the power goes is not for the rules of a run to say.
            guard !rule.cutsPower else { throw refuse(text) }
            return rule
        }
    }
}
