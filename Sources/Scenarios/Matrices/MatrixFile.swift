import Bytes
import Exploration
import Model
import Oracle
import Targets

/// Reads a matrix from YAML (docs/matrix.md). Every list in an entry multiplies.
package struct MatrixFile {
    /// What cells are that do not say otherwise.
    package struct Defaults: Sendable {
        package var seed: UInt64
        package var profile: Profile
        package var operationCount: UInt64
        package var threadCount: Int
        package var valueBytes: Int?
        package var cycles: Int?

        package init(
            seed: UInt64, profile: Profile, operationCount: UInt64, threadCount: Int = 1,
            valueBytes: Int? = nil, cycles: Int?
        ) {
            self.seed = seed
            self.profile = profile
            self.operationCount = operationCount
            self.threadCount = threadCount
            self.valueBytes = valueBytes
            self.cycles = cycles
        }
    }

    private static let keys = [
        "target", "set", "scenario", "seed", "profile", "contract", "ops", "threads", "cycles", "cut_at", "kill_at_ack",
        "kill_at_file", "budget", "states", "partial", "depth", "writable", "expect", "reason", "check", "loss",
        "rule", "sweep", "value_len", "known",
    ]
    /// More than this is a slip: a year of nights.
    private static let cellLimit = 100_000

    private let catalog: TargetCatalog
    private let defaults: Defaults
    /// Where relative manifest paths begin; nil for our own working directory.
    private let directory: String?

    package init(_ catalog: TargetCatalog, _ defaults: Defaults, directory: String? = nil) {
        self.catalog = catalog
        self.defaults = defaults
        self.directory = directory
    }

    /// The matrix in a file.
    package static func matrix(
        at path: ByteString, _ catalog: TargetCatalog, _ defaults: Defaults
    ) throws -> Matrix {
        let text = path.description
        let directory = text.lastIndex(of: "/").map { String(text[...$0]) }
        return try MatrixFile(catalog, defaults, directory: directory).matrix(try RunFiles.read(path), file: path)
    }

    /// The matrix with these contents.
    package func matrix(_ text: [UInt8], file: ByteString) throws(YAMLError) -> Matrix {
        let root = try YAMLValue(text, file: file).mapping("a matrix", known: ["cells", "known"])
        guard let entries = root["cells"] else { throw YAMLError(file: file, line: nil, "a matrix needs a key cells") }
        let known = try root["known"].map(KnownFinding.list) ?? []
        var cells: [Matrix.Cell] = []
        for entry in try entries.list("cells") {
            cells += try self.cells(of: entry, known)
            guard cells.count <= MatrixFile.cellLimit else {
                throw entry.error("more than \(MatrixFile.cellLimit) cells")
            }
        }
        guard !cells.isEmpty else { throw entries.error("a matrix needs at least one cell") }
        var names: Set<String> = []
        for cell in cells where !names.insert(cell.name).inserted {
            throw entries.error("this cell is there twice: \(cell.name)")
        }
        return Matrix(cells: cells)
    }

    /// - Parameter known: what is accepted of every cell.
    private func cells(of entry: YAMLValue, _ known: [KnownFinding]) throws(YAMLError) -> [Matrix.Cell] {
        let values = try entry.mapping("a cell", known: MatrixFile.keys)
        for key in ["target", "scenario"] where values[key] == nil { throw entry.error("a cell needs a key \(key)") }
        let scenarios = try choices(values["scenario"], "scenario", Scenario.allCases.map { ($0.rawValue, $0) })
        let profiles = try values["profile"].map { (value) throws(YAMLError) in
            let known: [(String, Profile?)] = Profile.filesystems.map { ($0.rawValue, $0) }
            return try choices(value, "profile", known + [(RunRequest.everyProfile, nil)])
        }
        if let value = values["profile"], profiles?.contains(nil) == true {
            guard scenarios == [.explore], values["depth"] == nil, values["writable"] == nil else {
                throw value.error("profile: all is for scenario: explore, without depth and writable")
            }
        }
        let contract = try values["contract"].map { (value) throws(YAMLError) in
            try choices(value, "contract", Contract.named.map { ($0.name, $0) })
        }
        let seeds = try values["seed"].map { (value) throws(YAMLError) in try self.seeds(value) }
        let operations = try values["ops"]?.integer("ops", in: 1...1_000_000)
        let cycles = try values["cycles"]?.integer("cycles", in: 0...1000)
        let threads = try values["threads"]?.integer("threads", in: WorkloadShape.threadRange)
        let clients = threads ?? defaults.threadCount
        if clients > 1, contract?[0].needsSingleWriter == true {
            throw entry.error("contract: ordered is for one client: several have no single order")
        }
        let aims = try self.aims(values["cut_at"], scenarios)
        if !aims.isEmpty, cycles == 0 { throw entry.error("cut_at asks for cuts, and cycles: 0 for none") }
        for key in ["states", "depth", "writable"] {
            if let value = values[key], !scenarios.contains(.explore) {
                throw value.error("\(key) is for scenario: explore")
            }
        }
        if let value = values["sweep"], !scenarios.contains(.ioError) || values["rule"] != nil {
            throw value.error("sweep is for scenario: io-error, without rule")
        }
        let sweeps = try flag(values["sweep"], "sweep")
        for key in ["budget", "partial"] {
            if let value = values[key], !scenarios.contains(where: \.takesBudget) {
                throw value.error("\(key) is for scenario: explore, power-cut and io-error")
            }
        }
        let limit = operations.map(UInt64.init) ?? defaults.operationCount
        let killTrigger = try killTrigger(values, operationCount: limit)
        let exploration = try exploration(values)
        let acceptsPartial = try flag(values["partial"], "partial")
        let rules = try self.rules(values["rule"], scenarios)
        let valueBytes = try values["value_len"]?.integer("value_len", in: WorkloadShape.valueRange)
        let check = try values["check"].map { (value) throws(YAMLError) in
            try choices(value, "check", Check.allCases.map { ($0.rawValue, $0.rawValue) })[0]
        }
        let expectation = try values["expect"].map { (value) throws(YAMLError) in
            try choices(value, "expect", [("pass", Verdict.pass), ("violation", .violation)])[0]
        }
        if let value = values["known"], expectation == .violation {
            throw value.error(
                "known is for cells that pass; what expect: violation must find is said by check and loss")
        }
        let accepted = known + (try values["known"].map(KnownFinding.list) ?? [])
        var cells: [Matrix.Cell] = []
        for target in try targets(values) {
            for scenario in scenarios {
                for profile in profiles ?? [defaults.profile] {
                    for seed in seeds ?? [defaults.seed] {
                        var request = RunRequest(
                            target: target, scenario: scenario, profile: profile ?? defaults.profile,
                            contract: contract?[0] ?? target.contract(clients: clients), seed: seed,
                            operationCount: limit,
                            cycles: cycles ?? (scenario == .powerCut && !aims.isEmpty ? 1 : defaults.cycles))
                        request.usesEveryProfile = profile == nil
                        // A cell that must find something accepts nothing.
                        request.known = expectation == .violation ? [] : request.known + accepted
                        request.shape.threadCount = clients
                        request.shape.valueBytes = valueBytes ?? defaults.valueBytes
                        if scenario == .powerCut { request.cutAims = aims }
                        if scenario == .ioError { (request.rules, request.sweepsFaults) = (rules, sweeps) }
                        if scenario == .explore {
                            request.exploration = exploration
                            request.exploration.rules = rules
                        }
                        if scenario.takesBudget {
                            request.exploration.budgetSeconds = exploration.budgetSeconds
                            request.acceptsPartial = acceptsPartial
                        }
                        if scenario == .kill { request.killTrigger = killTrigger }
                        cells.append(
                            Matrix.Cell(
                                request: request, expectation: expectation ?? .pass,
                                reason: try values["reason"]?.text("reason"), expectedCheck: check,
                                expectedLoss: try values["loss"]?.text("loss")))
                        guard cells.count <= MatrixFile.cellLimit else {
                            throw entry.error("more than \(MatrixFile.cellLimit) cells")
                        }
                    }
                }
            }
        }
        return cells
    }

    /// How far cells that explore go.
    private func exploration(_ values: [String: YAMLValue]) throws(YAMLError) -> ExplorationLimits {
        var limits = ExplorationLimits()
        limits.budgetSeconds = try values["budget"].map { (value) throws(YAMLError) in
            guard let time = TimeSpan(argument: try value.text("budget")) else {
                throw value.error("budget is a time, such as 60s or 10m")
            }
            return time.seconds
        }
        limits.budgetStates = try values["states"]?.integer("states", in: 1...1_000_000_000)
        limits.depth = try values["depth"]?.integer("depth", in: 1...2) ?? 1
        limits.probesWriting = try flag(values["writable"], "writable")
        return limits
    }

    private func flag(_ value: YAMLValue?, _ name: String) throws(YAMLError) -> Bool {
        guard let value else { return false }
        return try choices(value, name, [("true", true), ("false", false)])[0]
    }

    private func killTrigger(
        _ values: [String: YAMLValue], operationCount: UInt64
    ) throws(YAMLError) -> KillTrigger? {
        switch (values["kill_at_ack"], values["kill_at_file"]) {
        case (nil, nil): return nil
        case (_?, let file?): throw file.error("kill_at_ack and kill_at_file exclude each other")
        case (let value?, nil):
            guard operationCount > 1 else { throw value.error("kill_at_ack needs ops above 1") }
            return .acknowledgement(UInt64(try value.integer("kill_at_ack", in: 1...Int(operationCount - 1))))
        case (nil, let value?):
            let text = try value.text("kill_at_file")
            guard let glob = try? Glob(parsing: ByteString(text)) else {
                throw value.error("kill_at_file is a pattern of a path in the store, such as *.log, not \(text)")
            }
            return .newFile(glob)
        }
    }

    /// Where the power goes, one after the other.
    private func aims(_ value: YAMLValue?, _ scenarios: [Scenario]) throws(YAMLError) -> [CutAim] {
        guard let value else { return [] }
        guard scenarios.contains(.powerCut) else { throw value.error("cut_at is for scenario: power-cut") }
        var aims: [CutAim] = []
        for item in try value.oneOrMore("cut_at") {
            let text = try item.text("cut_at")
            do throws(CutAimError) { aims.append(try CutAim(parsing: ByteString(text))) } catch {
                throw item.error("\(error)")
            }
        }
        return aims
    }

    /// Rules of faults, all of them for each cell of the entry.
    private func rules(_ value: YAMLValue?, _ scenarios: [Scenario]) throws(YAMLError) -> [Rule] {
        guard let value else { return [] }
        guard scenarios.contains(.ioError) || scenarios.contains(.explore) else {
            throw value.error("a rule is for scenario: io-error or explore")
        }
        var rules: [Rule] = []
        for item in try value.oneOrMore("rule") {
            let text = try item.text("rule")
            let rule: Rule
            do throws(RuleError) { rule = try Rule(parsing: text) } catch { throw item.error("\(error)") }
            guard !rule.cutsPower else {
                throw item.error("this rule cuts the power: that is cut_at with scenario: power-cut")
            }
            rules.append(rule)
        }
        return rules
    }

    /// Every combination of the targets and their settings.
    private func targets(_ values: [String: YAMLValue]) throws(YAMLError) -> [ConfiguredTarget] {
        var configured: [ConfiguredTarget] = []
        for value in try values["target"]?.oneOrMore("target") ?? [] {
            let reference = try value.text("target")
            var combinations: [[Setting]] = [[]]
            for (name, choices) in try values["set"]?.pairs("set") ?? [] {
                var texts: [String] = []
                for choice in try choices.oneOrMore(name) { texts.append(try choice.text(name)) }
                combinations = combinations.flatMap { settings in
                    texts.map { settings + [Setting(name: name, value: $0)] }
                }
                guard combinations.count <= MatrixFile.cellLimit else {
                    throw value.error("more than \(MatrixFile.cellLimit) cells")
                }
            }
            do throws(TargetError) {
                let target = try catalog.target(located(reference))
                for settings in combinations { configured.append(try target.configured(settings)) }
            } catch {
                if case .manifest(let reason) = error { throw reason }
                throw value.error("\(error)")
            }
        }
        return configured
    }

    private func located(_ reference: String) -> String {
        let isPath = reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
        guard isPath, !reference.hasPrefix("/"), let directory else { return reference }
        return directory + reference
    }

    private func seeds(_ value: YAMLValue) throws(YAMLError) -> [UInt64] {
        var seeds: [UInt64] = []
        for item in try value.oneOrMore("seed") {
            let text = try item.text("seed")
            let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
            switch (bounds.count, bounds.first ?? nil, bounds.last ?? nil) {
            case (1, let seed?, _): seeds.append(seed)
            case (2, let from?, let to?) where from <= to && to - from < UInt64(MatrixFile.cellLimit):
                seeds += Array(from...to)
            default: throw item.error("a seed is a number or a range such as 1-20, not \(text)")
            }
        }
        guard !seeds.isEmpty else { throw value.error("seed needs at least one number") }
        return seeds
    }

    private func choices<Choice>(
        _ value: YAMLValue?, _ what: String, _ known: [(name: String, choice: Choice)]
    ) throws(YAMLError) -> [Choice] {
        var choices: [Choice] = []
        for item in try value?.oneOrMore(what) ?? [] {
            let name = try item.text(what)
            guard let choice = known.first(where: { $0.name == name })?.choice else {
                let names = known.map(\.name)
                let nearest = Spelling.nearest(to: name, in: names).map { "; did you mean \($0)?" } ?? ""
                throw item.error("\(what) cannot be \(name)\(nearest) (\(names.joined(separator: ", ")))")
            }
            choices.append(choice)
        }
        guard !choices.isEmpty else { throw value?.error("\(what) needs at least one value") ?? missing(what) }
        return choices
    }

    private func missing(_ what: String) -> YAMLError { YAMLError(file: "matrix", line: nil, "\(what) is missing") }
}
