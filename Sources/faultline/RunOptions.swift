import ArgumentParser
import Bytes
import Model
import Oracle
import Report
import Runs
import Scenarios
import Targets

extension Profile: ExpressibleByArgument {}

extension ProfileChoice: ExpressibleByArgument {
    package init?(argument: String) { self.init(named: argument) }

    package static var allValueStrings: [String] { Profile.filesystems.map(\.rawValue) + [everyName] }

    package var defaultValueDescription: String { name }
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

/// The common options of `run`, `explore` and `matrix`.
struct RunOptions: ParsableArguments {
    @Option(help: "The seed: the same seed gives the same workload and the same cuts.")
    var seed: UInt64 = 1

    @Option(help: "Which sets of unsynced changes may survive a crash; explore: `all` tries each, strongest first.")
    var profile: ProfileChoice = .one(.ext4Ordered)

    @Option(name: .customLong("ops"), help: "How many operations the workload does in each cycle.")
    var operationCount: UInt64 = 100

    @Option(help: "Bytes of a value, 1 to 65536 (default: a mix of sizes).")
    var valueLen: Int?

    @Option(help: "Concurrent clients. With more than one, a run cannot be repeated exactly.")
    var threads = 1

    @Option(help: "Where run directories are made (default: FAULTLINE_RUNS, else ./faultline-runs).")
    var out: ByteString?

    @OptionGroup var memory: MemoryOptions

    @OptionGroup var sandbox: SandboxOptions

    @OptionGroup(title: "Options of the guest") var machines: MachineOptions

    @OptionGroup var progress: ProgressOptions

    @OptionGroup var reports: ReportOptions

    func validate() throws {
        guard profile != .one(.block) else {
            throw ValidationError("--profile block is for block devices; these scenarios work on files")
        }
        let operations = WorkloadShape.operationRange
        guard operations.contains(Int(clamping: operationCount)) else {
            throw ValidationError("--ops must be from \(operations.lowerBound) to \(operations.upperBound)")
        }
        if let valueLen, !WorkloadShape.valueRange.contains(valueLen) {
            throw ValidationError("--value-len must be from 1 to \(WorkloadShape.valueRange.upperBound)")
        }
        guard WorkloadShape.threadRange.contains(threads) else {
            throw ValidationError("--threads must be from 1 to \(WorkloadShape.threadRange.upperBound)")
        }
    }

    var session: RunSession {
        var session = RunSession(
            parent: RunDirectory.parent(option: out), program: ProgramName.shown, wording: English(),
            memory: memory.memory)
        session.machines = machines.picker
        return session
    }

    /// Creates and checks the request for a run, so that an impossible run fails before it starts.
    func request(
        _ reference: String, _ settings: [Setting], _ scenario: any Scenario, _ contract: Contract?
    ) throws -> RunRequest {
        var target = try TargetCatalog.besideThisProgram().target(reference).configured(settings)
        if !sandbox.isOn { target.confinement = .none }
        var request = RunRequest(
            target: target, scenario: scenario, profiles: profile,
            contract: contract ?? target.contract(clients: threads), seed: seed, operationCount: operationCount)
        (request.shape.threadCount, request.shape.valueBytes) = (threads, valueLen)
        if let problem = request.optionProblem(from: .commandLine, program: ProgramName.shown) {
            throw ValidationError(problem.text(in: .commandLine))
        }
        if let obstacle = machines.picker.obstacle(to: request.needs) {
            throw ValidationError("\(scenario.name) cannot run here: \(obstacle)")
        }
        return request
    }
}
