import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Storage
import Targets

/// The environment of a run: its directories, memory budget, wording, progress and stop request.
package struct RunContext: Sendable {
    private let run: RunDirectory
    /// Prefix of the file names of the current part of the run.
    private var prefix = ""
    /// Temporary directory for stores and crash states; in memory if possible.
    package private(set) var scratch: ByteString
    /// The run's memory limit.
    package let memory: MemoryGuard
    /// Formats findings and reasons as text.
    package let wording: any Wording
    /// Whether the run should end early and cleanly: on request, or because it is over its memory limit.
    package private(set) var shouldStop: @Sendable () -> Bool
    /// Receives progress messages.
    package let progress: @Sendable (RunProgress) -> Void

    package init(
        _ run: RunDirectory, wording: any Wording, memory limit: MemorySize = MachineMemory().defaultLimit,
        sharedBy runsAtOnce: Int = 1,
        shouldStop: @escaping @Sendable () -> Bool = { false },
        progress: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) throws(RunDirectoryError) {
        self.run = run
        self.wording = wording
        scratch = try run.makeScratch()
        let spillDirectory = ScratchSpace.onDisk(preferring: run.path)
        let memory = MemoryGuard(
            MemoryBudget(limitBytes: limit.bytes / runsAtOnce, spillDirectory: spillDirectory), of: limit,
            scratch: scratch)
        self.memory = memory
        self.shouldStop = { shouldStop() || memory.isOver }
        self.progress = progress
    }

    /// A copy with its own new directory in the scratch space. A process confined to it cannot reach the run's record.
    package func within(_ name: String) throws -> RunContext {
        var context = self
        context.scratch = scratchFile(name)
        try RunFiles.makeDirectory(context.scratch)
        return context
    }

    /// A copy that also stops when `isOver` returns true.
    package func stopping(when isOver: @escaping @Sendable () -> Bool) -> RunContext {
        var context = self
        context.shouldStop = { [shouldStop] in shouldStop() || isOver() }
        return context
    }

    /// Why the run should end early.
    package var stopReason: StopReason { memory.words.map(StopReason.memory) ?? .interrupted }

    /// Runs `body`. Throws `harness` if spilled data was lost, and `inconclusive` if the memory limit interrupted it.
    package func guarded<Result>(_ body: () throws -> Result) throws -> Result {
        let result = Swift.Result { try body() }
        switch memory.problem {
        case .lost(let reason)?: throw RunError.harness(reason)
        case .tooMuch?:
            // A result completed despite the limit remains valid.
            if case .failure(RunError.interrupted) = result, let words = memory.words {
                throw RunError.inconclusive(words)
            }
        case nil: break
        }
        return try result.get()
    }

    /// The run directory, which is kept.
    package var directory: ByteString { run.path }

    package var oracle: ByteString { prefix.isEmpty ? run.oraclePath : file("oracle.jsonl") }

    /// A copy for a part of the run with its own files, whose names begin with `part` and a hyphen.
    package func part(_ part: String) -> RunContext {
        var context = self
        context.prefix = prefix + part + "-"
        return context
    }

    package func makeCase(_ fill: (_ directory: ByteString, _ place: ByteString) throws -> Void) throws -> ByteString {
        try run.makeCase(fill)
    }
    package func willMount(_ mountPoint: ByteString) throws(RunDirectoryError) { try run.willMount(mountPoint) }
    package func didUnmount(_ mountPoint: ByteString) throws(RunDirectoryError) { try run.didUnmount(mountPoint) }

    /// Call after a failure. Throws if it may be due to a full disk.
    package func requireRoom(_ doing: String) throws(TreeError) {
        for place in [scratch, directory] { try FreeSpace.require(in: place, doing: doing) }
    }

    package func file(_ name: String) -> ByteString { directory.appending(component: ByteString(prefix + name)) }
    package func scratchFile(_ name: String) -> ByteString { scratch.appending(component: ByteString(prefix + name)) }
}

/// Why a run has no verdict about the store. The runner reports it as a result; it never counts as a pass.
package enum RunError: Error {
    /// The harness, the machine or the target's setup is at fault.
    case harness(String)
    /// Nothing failed, but nothing was tested: for example, no fault fired.
    case inconclusive(String)
    /// The filesystem below the store failed before the store could be tested.
    case filesystem(String)
    /// The run was asked to stop.
    case interrupted

    /// The workload failed without an injected fault: the driver or the setup is at fault.
    ///
    /// - Parameter refusal: the oracle line of the refusal, if the store refused an operation.
    package static func failedWithoutFault(
        _ end: WorkloadEnd, wroteLines: Int, refusal: String? = nil,
        _ confinement: Confinement = .onlyEscapingLinks
    ) -> RunError {
        let silent = wroteLines == 0 ? ", and it wrote no oracle line" : ""
        let what = "the workload \(end.termination) without any fault\(silent)"
        let side =
            refusal.map { "\(what), after the store refused an operation: \($0)" }
            ?? "look at the workload command: \(what)"
        return .harness(side + end.errorSuffix + hint(confinement))
    }

    /// None of the requested rules fired.
    package static let noRuleFired = RunError.inconclusive("no rule fired: the recorded run met no fault")

    /// The workload rejected its command line.
    package static func calledWrongly(_ end: WorkloadEnd) -> RunError {
        .harness("the workload \(end.termination): it was called wrongly\(end.errorSuffix)")
    }

    /// Throws if a workload on `mount` wrote an invalid oracle line.
    package static func checkOracle(of mount: FaultMount) throws(RunError) {
        guard let reason = mount.oracleRejection else { return }
        throw .harness(
            "the workload wrote to the oracle what is no line of one: \(reason). The driver is at fault, not the store "
                + "(docs/oracle-format.md)")
    }

    /// The recover command opens nothing, even without a fault: the driver or the setup is at fault.
    ///
    /// - Parameter links: the store's symbolic links that lead out of its directory.
    static func notRecoveredWithoutFault(
        _ reason: String, _ confinement: Confinement, _ links: [EscapingLink]
    ) -> RunError {
        let confined = links.isEmpty || confinement == .none ? hint(confinement) : hint
        let link = links.first.map { "; its link \($0) leads out of its directory, and what is there no crash changes" }
        return .harness(
            "the recover command opens nothing, not even a store that met no fault: \(reason)\(link ?? "")\(confined)")
    }

    private static let hint =
        "; it ran in a sandbox, where it can write to its own directory alone: --no-sandbox takes that away"

    private static func hint(_ confinement: Confinement) -> String {
        if case .sandbox = confinement { hint } else { "" }
    }
}

extension RunError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .harness(let reason), .inconclusive(let reason), .filesystem(let reason): reason
        case .interrupted: "interrupted"
        }
    }
}
