import Bytes
import Foundation
import Machine
import Oracle
import Runs
import Storage
import Targets

/// Runs requests, each in its own run directory, and cleans up at the end, after an error and after Ctrl-C.
package struct RunSession: Sendable {
    /// The directory that contains the run directories.
    package var parent: ByteString
    /// The name of this program in commands.
    package var program: String
    /// The wording of findings.
    package var wording: any Wording
    /// The memory limit of this process.
    package var memory: MemorySize
    /// The maximum number of concurrent runs that share `memory`.
    package var runsAtOnce = 1
    /// Where runs take place.
    package var machines = MachinePicker.hostAlone
    /// Its guests. Whoever makes another pool ends it.
    package var guests = GuestPool()
    private let interruption: Interruption

    package init(
        parent: ByteString, program: String, wording: any Wording, memory: MemorySize = MachineMemory().defaultLimit,
        interruption: Interruption = .shared
    ) {
        self.parent = parent
        self.program = program
        self.wording = wording
        self.memory = memory
        self.interruption = interruption
    }

    package func run(
        _ request: RunRequest, progress: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) -> RunResult {
        // A run checks `isInterrupted` and unmounts by itself; the process must not exit before that.
        interruption.awaiting {
            let runner = ScenarioRunner(program: program, wording: wording)
            if interruption.isInterrupted { return runner.failed(request, "interrupted") }
            do {
                guard let scenario = request.scenario as? PowerOffScenario, !PowerOffGuest.isHere else {
                    return try run(request, runner, progress)
                }
                return try runAfterPowerOff(scenario, request, runner, progress)
            } catch {
                return runner.failed(request, "\(error)")
            }
        }
    }

    /// Records in a guest of its own, and then explores where the images can be mounted.
    private func runAfterPowerOff(
        _ scenario: PowerOffScenario, _ request: RunRequest, _ runner: ScenarioRunner,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) throws -> RunResult {
        if case .nowhere(let obstacle) = machines.place(of: request.needs) { return runner.failed(request, obstacle) }
        progress(RunProgress("recording in the guest, until its power goes"))
        let scratch = try ScratchDirectory()
        defer { try? scratch.remove() }
        let recorded = try PowerOffRecorder(
            request: request, filesystem: scenario.block?.filesystem ?? .ext4, machine: try machines.guest(),
            place: scratch.path, shouldStop: { interruption.isInterrupted }
        ).record()
        var recording = request
        var exploring = scenario
        exploring.exploration.recorder = .trace(recorded.trace)
        recording.scenario = exploring
        var result = try run(
            recording, runner, trace: recorded.trace, progress)
        result.guest = result.guest ?? RunResult.GuestFacts(recorded.outcome)
        return result
    }

    /// Runs a request where it can be run.
    private func run(
        _ request: RunRequest, _ runner: ScenarioRunner, trace: ByteString? = nil,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) throws -> RunResult {
        switch machines.place(of: request.needs) {
        case .host: break
        case .guest(let machine):
            return try GuestRun(
                request, parent: parent, runner, machine, guests, trace: trace,
                shouldStop: { interruption.isInterrupted }
            ).run(progress)
        case .nowhere(let obstacle): return runner.failed(request, obstacle)
        }
        let directory = try RunDirectory(
            in: parent, target: request.target.target.name, scenario: request.scenario.name.rawValue,
            seed: request.seed)
        return run(request, in: directory, runner, progress)
    }

    private func run(
        _ request: RunRequest, in directory: RunDirectory, _ runner: ScenarioRunner,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) -> RunResult {
        var result = runner.failed(request, "")
        do {
            let context = try RunContext(
                directory, wording: wording, memory: memory, sharedBy: runsAtOnce,
                shouldStop: { interruption.isInterrupted },
                progress: progress)
            var request = request
            request.target.temporaryDirectory = context.scratchFile("temporary")
            try RunFiles.makeDirectory(context.scratchFile("temporary"))
            result = runner.run(request, context)
            try directory.writeReproduceScript(request.arguments().map { ByteString($0) })
            try write(result.withoutLocalPaths(program: program, request), to: directory)
        } catch {
            result.add(problem: "\(error)")
        }
        do { try directory.finish() } catch { result.add(problem: "\(error)") }
        return result
    }

    private func write(_ result: RunResult, to directory: RunDirectory) throws {
        try OutputFile.create(
            directory.path.appending(component: "result.json"), try JSONText.bytes(of: result, .object))
    }
}
