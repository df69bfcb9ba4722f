import ArgumentParser
import Bytes
import Model
import Oracle
import Scenarios
import Targets

extension Scenario: ExpressibleByArgument {}

extension Profile: ExpressibleByArgument {}

/// What `--profile` takes.
enum ProfileChoice: Hashable, ExpressibleByArgument {
    case one(Profile)
    case all

    init?(argument: String) {
        if argument == RunRequest.everyProfile {
            self = .all
        } else if let profile = Profile(rawValue: argument) {
            self = .one(profile)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { Profile.filesystems.map(\.rawValue) + [RunRequest.everyProfile] }

    var defaultValueDescription: String {
        switch self {
        case .one(let profile): profile.rawValue
        case .all: RunRequest.everyProfile
        }
    }

    /// The profile, for a command that works under one.
    func one(for command: String) throws -> Profile {
        guard case .one(let profile) = self else {
            throw ValidationError("--profile all is for explore; \(command) works under one profile at a time")
        }
        return profile
    }
}

extension Contract: ExpressibleByArgument {
    public init?(argument: String) { self.init(named: argument) }
    public static var allValueStrings: [String] { named.map(\.name) }
}

extension Setting: ExpressibleByArgument {
    package init?(argument: String) {
        guard let setting = try? Setting(parsing: argument) else { return nil }
        self = setting
    }
}

/// What `run` and `matrix` have in common.
struct RunOptions: ParsableArguments {
    @Option(help: "The seed: the same seed gives the same workload and the same cuts.")
    var seed: UInt64 = 1

    @Option(help: "Which sets of unsynced changes may survive a crash; explore: `all` tries each, strongest first.")
    var profile: ProfileChoice = .one(.ext4Ordered)

    @Option(name: .customLong("ops"), help: "How many operations the workload does in each cycle.")
    var operationCount: UInt64 = 100

    @Option(help: "Bytes of a value, 1 to 65536 (default: a mix of sizes).")
    var valueLen: Int?

    @Option(help: "How many clients work at once. Of several no two runs are alike.")
    var threads = 1

    @Option(
        help: """
            How often the power goes at seeded moments (default: 2; then once more at each aim of --cut-at), or the process \
            is killed (default: 10), each time continuing on what survived.
            """)
    var cycles: Int?

    @Option(help: "Where run directories are made (default: FAULTLINE_RUNS, else ./faultline-runs).")
    var out: ByteString?

    @OptionGroup var memory: MemoryOptions

    @OptionGroup var sandbox: SandboxOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard profile != .one(.block) else {
            throw ValidationError("--profile block is for block devices; these scenarios work on files")
        }
        guard operationCount > 0 else { throw ValidationError("--ops must be at least 1") }
        if let valueLen, !WorkloadShape.valueRange.contains(valueLen) {
            throw ValidationError("--value-len must be from 1 to \(WorkloadShape.valueRange.upperBound)")
        }
        guard WorkloadShape.threadRange.contains(threads) else {
            throw ValidationError("--threads must be from 1 to \(WorkloadShape.threadRange.upperBound)")
        }
        guard operationCount <= 1_000_000 else { throw ValidationError("--ops can be 1000000 at most") }
        guard (0...1000).contains(cycles ?? 0) else { throw ValidationError("--cycles must be from 0 to 1000") }
    }

    var session: RunSession {
        RunSession(parent: RunDirectory.parent(option: out), program: ProgramName.shown, memory: memory.memory)
    }
}
