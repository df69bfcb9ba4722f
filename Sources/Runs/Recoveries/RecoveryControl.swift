import Bytes
import Exploration
import Machine
import Model
import Oracle
import Storage
import Targets

/// Control for a target's recover command: it must open a store without faults or, failing that, an empty directory. A
/// command that fails on both fails for a reason other than the store (a missing script or library, a wrong argument),
/// and would fail in every state: a setup error, not a violation.
package struct RecoveryControl {
    package let target: ConfiguredTarget
    /// The directory for the control's store and states.
    package let scratch: ByteString
    package let shouldStop: @Sendable () -> Bool

    package init(
        _ target: ConfiguredTarget, scratch: ByteString, shouldStop: @escaping @Sendable () -> Bool = { false }
    ) {
        self.target = target
        self.scratch = scratch
        self.shouldStop = shouldStop
    }

    /// The length of the control's workload; enough for a store that can be opened.
    private static let operationCount: UInt64 = 20

    /// Throws if the command opens neither a store without faults nor an empty directory.
    ///
    /// - Parameters:
    ///   - recovery: the recovery of the store without faults.
    ///   - links: the store's links that lead out of its directory.
    package func require(_ recovery: Recovery, links: [EscapingLink] = []) throws {
        guard let reason = recovery.failure else { return }
        try FreeSpace.require(in: scratch, doing: "recovering a store that met no fault")
        let empty = scratch.appending(component: "empty")
        try target.makeStore(at: empty)
        defer { try? TreeRemoval.remove(empty) }
        if case .opened = try RecoverClient(target).recoverAlone(empty) { return }
        throw RunError.notRecoveredWithoutFault(reason, target.confinement, links)
    }

    /// Throws if the final state of a fault-free run, with nothing lost, does not open.
    package func require(endOf recording: Recording) throws {
        let place = try makePlace()
        defer { try? TreeRemoval.remove(place) }
        let end = try recording.wholeState(at: recording.events.count)
        let recovery = ProcessRecovery(payloads: recording.payloads, client: RecoverClient(target), scratch: place)
        try require(recovery.recover(end.tree, inFreshProcess: true).evidence.recovery, links: end.tree.escapingLinks())
    }

    /// Makes a short fault-free run on plain files, if no other one exists. Throws if its store does not open.
    package func requireOfLife(seed: UInt64) throws {
        let place = try makePlace()
        defer { try? TreeRemoval.remove(place) }
        let (store, oracle) = (place.appending(component: "store"), place.appending(component: "oracle"))
        try target.makeStore(at: store)
        let workload = try WorkloadRun(
            target,
            WorkloadEnvironment(
                directory: store, oracle: oracle, seed: seed, operationCount: Self.operationCount,
                oracleMayShareFilesystem: true))
        guard let termination = try workload.finish(watching: oracle, shouldStop: shouldStop) else {
            throw RunError.interrupted
        }
        guard termination.isSuccess else {
            let lineCount = RunFiles.size(of: oracle) == 0 ? 0 : 1
            throw RunError.failedWithoutFault(
                WorkloadEnd(termination, errorOutput: workload.errorOutput), wroteLines: lineCount, target.confinement)
        }
        let links = try Tree(skeletonOf: store).escapingLinks()
        let client = try RecoverClient(target).confined(for: links, in: scratch)
        try require(client.recoverAlone(store).recovery, links: links)
    }

    private func makePlace() throws -> ByteString {
        let place = scratch.appending(component: "control")
        try RunFiles.makeDirectory(place)
        return place
    }
}
