import Block
import Exploration
import Model
import Runs

extension ExploreScenario {
    /// Explores below this filesystem. Each image costs a mount, so it sets limits with which a run of a hundred
    /// operations takes minutes.
    package mutating func explore(below filesystem: BlockFilesystem) {
        block = BlockSetup(filesystem)
        let usual = Self.defaultLimits
        (limits.statesPerEpoch, limits.samplesPerEpoch) = (usual.statesPerEpoch, usual.samplesPerEpoch)
        limits.pairedAtoms = usual.pairedAtoms
    }

    private static let defaultLimits: ExplorationLimits = {
        var limits = ExplorationLimits()
        (limits.statesPerEpoch, limits.samplesPerEpoch, limits.pairedAtoms) = (64, 16, 8)
        return limits
    }()

    static let filesystemNames = BlockFilesystem.allCases.map(\.rawValue).joined(separator: ", ")

    package static func filesystem(_ texts: [String], of name: String) throws(OptionProblem) -> BlockFilesystem {
        let text = texts.last ?? ""
        guard let filesystem = BlockFilesystem(rawValue: text) else {
            throw OptionProblem(name, "\(option: name) must be one of \(filesystemNames), not \(text)")
        }
        return filesystem
    }

    /// These options come first, because later ones override the limits that they set.
    static let blockOptions: [ScenarioOption<ExploreScenario>] =
        [
            ScenarioOption(
                "block", .text, "filesystem",
                """
                explore below a real filesystem of this kernel: record the sectors and flushes of its device, and mount every \
                image that a power cut could leave of it (root; docs/real-filesystems.md): \(filesystemNames). Unless given, \
                epoch-states is then \(defaultLimits.statesPerEpoch) and samples \(defaultLimits.samplesPerEpoch)
                """
            ) { (scenario, texts) throws(OptionProblem) in
                scenario.explore(below: try filesystem(texts, of: "block"))
            } texts: {
                $0.block.map { [$0.filesystem.rawValue] } ?? []
            }.kept(as: "block.filesystem")
        ] + deviceOptions.map { $0.needing("block") } + [
            ScenarioOption(
                "trace", .text, "file",
                """
                record nothing: explore this trace of a device, which `faultline trace import` made of a write log. The target \
                opens the store in the images, and its options are those of the recorded run
                """
            ) { (scenario, texts) throws(OptionProblem) in
                scenario.recorder = .trace(try OptionText.path(texts, of: "trace"))
            } texts: { scenario in
                if case .trace(let path) = scenario.recorder { ["\(path)"] } else { [] }
            }.kept(as: "block.trace").needing("block").excluding("rule", "resume", "with-init")
        ]

    /// Options for the device and for checking its images.
    static let deviceOptions: [ScenarioOption<ExploreScenario>] = [
        ScenarioOption(
            "sector", .integer, "bytes", default: "4096",
            "what a power cut leaves whole or not at all of the device; 512 tears blocks that filesystems take for whole"
        ) { (scenario, texts) throws(OptionProblem) in
            guard let text = texts.last, let bytes = UInt64(text), [512, 4096].contains(bytes) else {
                throw OptionProblem("sector", "\(option: "sector") must be 512 or 4096, not \(texts.last ?? "")")
            }
            scenario.block?.sectorBytes = bytes
        } texts: { scenario in
            scenario.block.map { $0.sectorBytes == 4096 ? [] : ["\($0.sectorBytes)"] } ?? []
        }.kept(as: "block.sectorBytes"),
        ScenarioOption(
            "fsck", .integer, "count", default: "\(BlockSetup.defaultCheckPeriod)",
            "the filesystem's own checker looks at one of so many images, and at each in which the store does not open"
        ) { (scenario, texts) throws(OptionProblem) in
            scenario.block?.checkPeriod = try OptionText.integer(texts, of: "fsck", in: 1...1_000_000)
        } texts: { scenario in
            let period = scenario.block?.checkPeriod
            return period == BlockSetup.defaultCheckPeriod ? [] : period.map { ["\($0)"] } ?? []
        }.kept(as: "block.checkPeriod"),
    ]

    /// The error for options that exclude a real filesystem; nil if there is none.
    var blockOptionProblem: OptionProblem? {
        guard block != nil else { return nil }
        let refused: [(Bool, String)] = [
            (limits.depth > 1, "depth"), (probesWriting, "writable"), (smallWorkloadSteps != nil, "workloads"),
        ]
        guard let name = refused.first(where: \.0)?.1 else { return nil }
        return OptionProblem(
            name, "\(option: name) is for files: below a real filesystem recoveries are not recorded")
    }
}
