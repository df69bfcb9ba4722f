import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Storage
import Targets

/// Where a run does its work, and how it hears that it should stop.
package struct RunContext: Sendable {
    private let run: RunDirectory
    /// What the names of files begin with that belong to a part of the run.
    private var prefix = ""
    /// Space for stores and crash states, thrown away at the end; in memory where the machine offers that.
    package private(set) var scratch: ByteString
    /// How much memory the run may take.
    package let memory: MemoryGuard
    /// Puts what is found into words.
    package let wording: any Wording
    /// Becomes true when the run should end early, cleanly: somebody asks for it, or the memory is used up.
    package private(set) var shouldStop: @Sendable () -> Bool
    /// Hears what the run is doing, a few words at a time.
    package let progress: @Sendable (RunProgress) -> Void

    package init(
        _ run: RunDirectory, wording: any Wording, memory limit: MemorySize = MachineMemory().usualLimit,
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

    /// The same with a directory of its own within the scratch space, which holds nothing else: what is confined to it
    /// reaches no record of the run.
    package func within(_ name: String) throws -> RunContext {
        var context = self
        context.scratch = scratchFile(name)
        try RunFiles.makeDirectory(context.scratch)
        return context
    }

    /// The same, which ends early for another reason, too.
    package func stopping(when isOver: @escaping @Sendable () -> Bool) -> RunContext {
        var context = self
        context.shouldStop = { [shouldStop] in shouldStop() || isOver() }
        return context
    }

    /// Why the run should end early.
    package var stopReason: StopReason { memory.words.map(StopReason.memory) ?? .interrupted }

    /// Does something that comes to no result where the memory does not do: throws why then.
    package func guarded<Result>(_ body: () throws -> Result) throws -> Result {
        let result = Swift.Result { try body() }
        switch memory.problem {
        case .lost(let reason)?: throw RunError.harness(reason)
        case .tooMuch?:
            // What came to its end all the same stands.
            if case .failure(RunError.interrupted) = result, let words = memory.words {
                throw RunError.inconclusive(words)
            }
        case nil: break
        }
        return try result.get()
    }

    /// Everything that is kept of the run.
    package var directory: ByteString { run.path }

    package var oracle: ByteString { prefix.isEmpty ? run.oraclePath : file("oracle.jsonl") }

    /// The same for a part of the run whose files are its own: their names begin with `part` and a hyphen.
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

    /// After something failed: throws if it may be because there is no room left for the run.
    package func requireRoom(_ doing: String) throws(TreeError) {
        for place in [scratch, directory] { try FreeSpace.require(in: place, doing: doing) }
    }

    package func file(_ name: String) -> ByteString { directory.appending(component: ByteString(prefix + name)) }
    package func scratchFile(_ name: String) -> ByteString { scratch.appending(component: ByteString(prefix + name)) }
}

/// Why a run came to no verdict about the store. The runner turns it into a result: it never passes for a pass.
package enum RunError: Error {
    /// The harness, the machine or the target's setup is at fault.
    case harness(String)
    /// Nothing was wrong and nothing was shown: the fault never fired.
    case inconclusive(String)
    /// Somebody asked us to stop.
    case interrupted

    /// The workload failed although nothing was injected: the driver or the setup is wrong.
    ///
    /// - Parameter refusal: the oracle's line that says so, if the store refused.
    package static func failedWithoutFault(
        _ end: WorkloadEnd, wroteLines: Int, refusal: String? = nil,
        _ confinement: Confinement = .onlyEscapingLinks
    ) -> RunError {
        let silent = wroteLines == 0 ? ", and it wrote no oracle line" : ""
        let what = "the workload \(end.termination) without any fault\(silent)"
        let side =
            refusal.map { "\(what), after the store refused an operation: \($0)" }
            ?? "look at the workload command: \(what)"
        return .harness(side + end.saying + hint(confinement))
    }

    /// None of the rules that somebody asked for fired.
    package static let noRuleFired = RunError.inconclusive("no rule fired: the recorded run met no fault")

    /// The workload's command line is wrong.
    package static func calledWrongly(_ end: WorkloadEnd) -> RunError {
        .harness("the workload \(end.termination): it was called wrongly\(end.saying)")
    }

    /// Throws if a workload on `mount` wrote to the oracle what is no line of one.
    package static func checkOracle(of mount: FaultMount) throws(RunError) {
        guard let reason = mount.oracleRejection else { return }
        throw .harness(
            "the workload wrote to the oracle what is no line of one: \(reason). The driver is at fault, not the store "
                + "(docs/oracle-format.md)")
    }

    /// Nothing was injected and nothing opens: the driver or the setup is wrong.
    ///
    /// - Parameter links: those of the store that leave it.
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
        case .harness(let reason), .inconclusive(let reason): reason
        case .interrupted: "interrupted"
        }
    }
}
