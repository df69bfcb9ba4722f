import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Scenarios
import Targets

/// Reads a matrix from YAML (docs/matrix.md). An entry gives a cell for each combination of its lists.
package struct MatrixFile {
    /// The values of keys that an entry leaves out.
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

    /// The keys that every entry may have. The options of its scenarios are keys too.
    private static let commonKeys = [
        "target", "set", "scenario", "seed", "profile", "contract", "ops", "threads", "value_len", "expect", "reason",
        "check", "loss", "known",
    ]

    package static var keys: [String] {
        commonKeys + ScenarioList.optionNames(in: .matrix).map(OptionPlace.matrix.spelling)
    }

    /// A larger matrix is an input error: it would run for a year.
    private static let cellLimit = 100_000

    private let catalog: TargetCatalog
    private let defaults: Defaults
    /// The directory for relative manifest paths; nil for the working directory.
    private let directory: String?

    package init(_ catalog: TargetCatalog, _ defaults: Defaults, directory: String? = nil) {
        self.catalog = catalog
        self.defaults = defaults
        self.directory = directory
    }

    /// Reads the matrix file at `path`.
    package static func matrix(
        at path: ByteString, _ catalog: TargetCatalog, _ defaults: Defaults
    ) throws -> Matrix {
        let text = path.description
        let directory = text.lastIndex(of: "/").map { String(text[...$0]) }
        return try MatrixFile(catalog, defaults, directory: directory).matrix(try RunFiles.read(path), file: path)
    }

    /// Reads a matrix from the contents of a file.
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

    /// - Parameter known: the known findings that every cell accepts.
    private func cells(of entry: YAMLValue, _ known: [KnownFinding]) throws(YAMLError) -> [Matrix.Cell] {
        let values = try entry.mapping("a cell", known: MatrixFile.keys)
        for key in ["target", "scenario"] where values[key] == nil { throw entry.error("a cell needs a key \(key)") }
        let scenarios = try choices(values["scenario"], "scenario", ScenarioList.all.map { ($0.name.rawValue, $0) })
        let profiles = try values["profile"].map { (value) throws(YAMLError) in
            let known = Profile.filesystems.map(ProfileChoice.one) + [.every]
            return try choices(value, "profile", known.map { ($0.name, $0) })
        }
        let contract = try values["contract"].map { (value) throws(YAMLError) in
            try choices(value, "contract", Contract.named.map { ($0.name, $0) })
        }
        let seeds = try values["seed"].map { (value) throws(YAMLError) in try self.seeds(value) }
        let operations = try values["ops"]?.integer("ops", in: WorkloadShape.operationRange)
        let threads = try values["threads"]?.integer("threads", in: WorkloadShape.threadRange)
        let clients = threads ?? defaults.threadCount
        let options = try self.options(values, scenarios)
        let valueBytes = try values["value_len"]?.integer("value_len", in: WorkloadShape.valueRange)
        let check = try values["check"].map { (value) throws(YAMLError) in
            try choices(value, "check", Check.allCases.map { ($0.rawValue, $0) })[0]
        }
        let loss = try values["loss"].map { (value) throws(YAMLError) in
            let text = try value.text("loss")
            guard let loss = ExpectedLoss(named: text) else {
                throw value.error(
                    "loss is a kind of change and a path, such as 'write data/*.log' or 'removal of the name db-journal', "
                        + "or a family of faults such as fsync-eio, not '\(text)'")
            }
            return loss
        }
        let expectation = try values["expect"].map { (value) throws(YAMLError) in
            try choices(value, "expect", [Verdict.pass, .violation, .filesystem].map { ($0.rawValue, $0) })[0]
        }
        if let value = values["known"], expectation == .violation {
            throw value.error(
                "known is for cells that pass; what expect: violation must find is said by check and loss")
        }
        let accepted = known + (try values["known"].map(KnownFinding.list) ?? [])
        func refuse(_ problem: OptionProblem) -> YAMLError {
            let key = problem.option.map(OptionPlace.matrix.spelling)
            return (key.flatMap { values[$0] } ?? entry).error(problem.text(in: .matrix))
        }
        var cells: [Matrix.Cell] = []
        for target in try targets(values) {
            for (type, options) in scenarios.flatMap({ type in distinct(options, of: type).map { (type, $0) } }) {
                let scenario: any Scenario
                do throws(OptionProblem) { scenario = try self.scenario(type, options) } catch { throw refuse(error) }
                for profile in profiles ?? [.one(defaults.profile)] {
                    for seed in seeds ?? [defaults.seed] {
                        var request = RunRequest(
                            target: target, scenario: scenario, profiles: profile,
                            contract: contract?[0] ?? target.contract(clients: clients), seed: seed,
                            operationCount: operations.map(UInt64.init) ?? defaults.operationCount)
                        // A cell that expects a violation accepts no known findings.
                        request.known = expectation == .violation ? [] : request.known + accepted
                        request.shape.threadCount = clients
                        request.shape.valueBytes = valueBytes ?? defaults.valueBytes
                        if let problem = request.optionProblem(from: .matrix, program: "faultline") {
                            throw refuse(problem)
                        }
                        cells.append(
                            Matrix.Cell(
                                request: request, expectation: expectation ?? .pass,
                                reason: try values["reason"]?.text("reason"), expectedCheck: check,
                                expectedLoss: loss))
                        guard cells.count <= MatrixFile.cellLimit else {
                            throw entry.error("more than \(MatrixFile.cellLimit) cells")
                        }
                    }
                }
            }
        }
        return cells
    }

    /// The scenario options of the entry, by name, for each combination of their lists. Throws for an option that none of
    /// `scenarios` has.
    private func options(
        _ values: [String: YAMLValue], _ scenarios: [any Scenario.Type]
    ) throws(YAMLError) -> [[String: [String]]] {
        var combinations: [[String: [String]]] = [[:]]
        for name in ScenarioList.optionNames(in: .matrix) {
            let key = OptionPlace.matrix.spelling(of: name)
            guard let value = values[key] else { continue }
            let declarations = scenarios.flatMap { $0.declarations }
            guard let option = declarations.first(where: { $0.name == name && $0.places.contains(.matrix) }) else {
                throw value.error(ScenarioList.belonging(name, in: .matrix).text(in: .matrix))
            }
            var alternatives: [[String]?] = []
            switch option.kind {
            case .flag: alternatives = [try choices(value, key, [("true", ["true"]), ("false", nil)])[0]]
            case .texts:
                var texts: [String] = []
                for item in try value.oneOrMore(key) { texts.append(try item.text(key)) }
                alternatives = [texts]
            case .integer, .text:
                for item in try value.oneOrMore(key) { alternatives.append([try item.text(key)]) }
            }
            combinations = combinations.flatMap { options in
                alternatives.map { options.merging([name: $0].compactMapValues(\.self)) { $1 } }
            }
            guard combinations.count <= MatrixFile.cellLimit else {
                throw value.error("more than \(MatrixFile.cellLimit) cells")
            }
        }
        return combinations
    }

    /// The options that apply to a scenario, each combination once.
    private func distinct(
        _ combinations: [[String: [String]]], of type: any Scenario.Type
    ) -> [[String: [String]]] {
        var seen: Set<[String: [String]]> = []
        return combinations.map { $0.filter { type.hasOption($0.key, in: .matrix) } }
            .filter { seen.insert($0).inserted }
    }

    /// Makes a scenario from its options, with the default of `cycles`.
    private func scenario(
        _ type: any Scenario.Type, _ options: [String: [String]]
    ) throws(OptionProblem) -> any Scenario {
        var values = options
        // With `cut-at` the default is one round.
        if let cycles = defaults.cycles, type.hasOption("cycles", in: .matrix), values["cut-at"] == nil {
            values["cycles"] = values["cycles"] ?? ["\(cycles)"]
        }
        return try type.reading(values, in: .matrix)
    }

    /// All combinations of the targets and their settings.
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
                let target = try catalog.target(resolvedPath(reference))
                for settings in combinations { configured.append(try target.configured(settings)) }
            } catch {
                if case .manifest(let reason) = error { throw reason }
                throw value.error("\(error)")
            }
        }
        return configured
    }

    private func resolvedPath(_ reference: String) -> String {
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
