import Bytes
import Foundation
import Glibc
import Guest
import Machine
import Runs
import Storage
import Targets

/// Runs a request in the guest: the same command of the same program, whose run directory is brought back.
struct GuestRun {
    private let request: RunRequest
    /// The directory that contains the run directories.
    private let parent: ByteString
    private let runner: ScenarioRunner
    private let machine: GuestMachine
    private let guests: GuestPool
    /// The trace that a power-off left, for a run that explores it.
    private let trace: ByteString?
    private let shouldStop: () -> Bool

    init(
        _ request: RunRequest, parent: ByteString, _ runner: ScenarioRunner, _ machine: GuestMachine,
        _ guests: GuestPool,
        trace: ByteString? = nil, shouldStop: @escaping () -> Bool
    ) {
        (self.request, self.parent, self.runner, self.machine) = (request, parent, runner, machine)
        (self.guests, self.trace, self.shouldStop) = (guests, trace, shouldStop)
    }

    /// Where the guest makes its run directory.
    private static let guestParent: ByteString = "/tmp/faultline-guest-runs"
    private static let resultName: ByteString = "result.json"

    func run(_ progress: (RunProgress) -> Void) throws -> RunResult {
        progress(RunProgress("in the guest, Linux \(machine.kernel.release)"))
        let parents = try NewDirectories(making: parent, permissions: 0o777)
        defer { parents.removeEmpty() }
        var inside = request
        // A guest that is killed at its deadline leaves no result. What takes longer ends before, and says what it left out.
        if inside.scenario.budget != nil, inside.scenario.budget?.seconds == nil {
            inside.scenario.budget?.seconds = max(1, machine.deadlineSeconds * 3 / 4)
        }
        var task = try Self.task(inside)
        task.bring = [Self.guestParent]
        if let trace {
            task.give[PowerOffGuest.traceName] = trace
            task.environment[PowerOffGuest.traceVariable] = PowerOffGuest.givenTrace
        }
        var errors: [UInt8] = []
        return try guests.run(
            task, on: machine, shouldStop: shouldStop,
            output: { stream, bytes in
                if stream == .errors { errors += bytes.prefix(max(0, Self.keptErrorBytes - errors.count)) }
            }, { try result(of: $0, said: ByteString(errors).said) })
    }

    /// The result of the run in the guest, whose directory is brought here.
    private func result(of outcome: GuestOutcome, said: String) throws -> RunResult {
        let brought = outcome.brought
            .appending(
                component: Self.guestParent.bytes.split(separator: UInt8(ascii: "/")).last.map { ByteString($0) } ?? "")
        guard
            let made = (TreeListing.names(in: brought) ?? []).first(where: { isRun(brought.appending(component: $0)) })
        else { return runner.failed(request, reason(outcome, said: said)) }
        return try keep(brought.appending(component: made), named: made, outcome)
    }

    private static let keptErrorBytes = 1 << 16

    private func isRun(_ directory: ByteString) -> Bool {
        RunFiles.isRegularFile(directory.appending(component: Self.resultName))
    }

    /// The command for the guest. What belongs to this machine is left to the guest's own defaults.
    static func task(_ request: RunRequest) throws -> GuestTask {
        let words = request.arguments() + ["--machine", "host", "--out", "\(guestParent)", "--json"]
        return GuestTask(
            [try GuestTask.program()] + words.map { ByteString($0) }, in: try ByteString(".").absolutePath())
    }

    /// Why there is no result.
    private func reason(_ outcome: GuestOutcome, said: String) -> String {
        if outcome.ending == .stopped { return "interrupted" }
        let memory =
            outcome.outOfMemory.map { "; the guest ran out of memory (--guest-memory gives it more): \($0)" } ?? ""
        let console = outcome.console.suffix(5).joined(separator: " | ")
        return "in the guest there was no result: \(outcome.ending)" + (said.isEmpty ? "" : "; it said: \(said)")
            + memory
            + (console.isEmpty ? "" : "; the end of its console: \(console)")
    }

    /// Copies the run directory beside the others, and names the guest in its result.
    private func keep(_ made: ByteString, named name: ByteString, _ outcome: GuestOutcome) throws -> RunResult {
        let root = ScratchSpace.resolved(parent)
        let (directory, newName) = try copy(made, named: name, to: root)
        let path = directory.appending(component: Self.resultName)
        let text = String(decoding: try RunFiles.read(path, followingLinks: false), as: UTF8.self)
        let renamed = text.replacing("\(name)", with: "\(newName)")
        var kept = try JSONDecoder().decode(RunResult.self, from: Data(renamed.utf8))
        kept.guest = RunResult.GuestFacts(outcome)
        try OutputFile.replace(path, with: try JSONText.bytes(of: kept, .object), permissions: 0o644)
        var result = kept.resolvingLocalPaths(in: RunResult.folder(of: directory.shown), program: runner.program)
        result.command = runner.command(request)
        return result
    }

    /// Copies with the first free number at the end of the name.
    private func copy(
        _ made: ByteString, named name: ByteString, to root: ByteString
    ) throws -> (directory: ByteString, name: ByteString) {
        let hyphen = name.bytes.lastIndex(of: UInt8(ascii: "-")) ?? name.bytes.endIndex
        for number in 1... {
            let newName = ByteString(name.bytes[..<hyphen] + Array("-\(number)".utf8))
            let directory = root.appending(component: newName)
            if RunFiles.exists(directory) { continue }
            if try isCopied(made, to: directory) { return (directory, newName) }
        }
        throw RunError.harness("\(root): no name is free")
    }
    /// False if another run was faster and has the name.
    private func isCopied(_ made: ByteString, to directory: ByteString) throws -> Bool {
        do {
            try TreeCopy.copy(made, to: directory)
            return true
        } catch {
            guard error == .system(call: "mkdir", path: directory, errno: EEXIST) else { throw error }
            return false
        }
    }
}

extension RunResult.GuestFacts {
    init(_ outcome: GuestOutcome) {
        self.init(
            kernel: outcome.kernel, accelerator: outcome.accelerator.rawValue, bootSeconds: outcome.bootSeconds,
            seconds: outcome.seconds)
    }
}

extension GuestTask {
    /// This program: the running one, or `faultline` beside it.
    package static func program() throws -> ByteString {
        let path = ScratchSpace.resolved("/proc/self/exe")
        let program = (path.parentDirectory ?? "/").appending(component: "faultline")
        guard program.withCString({ access($0, X_OK) }) == 0 else { throw TargetError.commandNotFound(program) }
        return program
    }
}
