import Block
import Bytes
import Exploration
import FaultFS
import Foundation
import Glibc
import Litmus
import Machine
import Model
import Runs
import Storage
import Targets

/// Runs litmus scripts on one real filesystem. Records its device, then mounts and reads every image that a power cut
/// during or after the script could leave.
///
/// Each script runs in its own process, in an empty directory of a new filesystem, once for each `LitmusAftermath`. The
/// images are those of the profile `block`, as in an exploration. Uses several threads; not thread safe.
package final class LitmusLaboratory {
    package let filesystem: BlockFilesystem
    private let driver: ByteString
    private let context: RunContext
    private let limits: ExplorationLimits
    /// The image of the new filesystem.
    private let template: ByteString
    private var recordingCount = 0

    /// - Parameters:
    ///   - driver: the program `faultline-target`.
    ///   - limits: bounds the states of an epoch that are checked.
    package init(
        _ filesystem: BlockFilesystem, driver: ByteString, _ context: RunContext, _ limits: ExplorationLimits
    ) throws {
        (self.filesystem, self.driver, self.context, self.limits) = (filesystem, driver, context, limits)
        template = context.scratchFile("template")
        let mountPoint = context.scratchFile("filesystem")
        for directory in [template, mountPoint] { try RunFiles.makeDirectory(directory) }
        try context.willMount(mountPoint)
        try FreshFilesystem.make(
            filesystem, at: template.appending(component: ImageRecovery.diskName), in: context.scratch,
            mountPoint: mountPoint)
    }

    /// The default limits: thousands of small epochs, each exhaustive.
    package static let defaultLimits: ExplorationLimits = {
        var limits = ExplorationLimits()
        (limits.statesPerEpoch, limits.samplesPerEpoch, limits.pairedAtoms) = (64, 16, 6)
        return limits
    }()

    /// The trees that crashes of `script` leave on the filesystem.
    package func observe(_ script: LitmusScript) throws -> LitmusObservation {
        var allowed = try AllowedOutcomes(script, filesystem.profile)
        var observation = LitmusObservation(script: script.name, filesystem: filesystem)
        observation.allowedCount = try allowed.last?.count
        var counts: [String: Int] = [:]
        for aftermath in LitmusAftermath.all(of: script) {
            try examine(at: recording(of: script, aftermath), aftermath, &allowed, &observation, &counts)
        }
        observation.seen = counts.sorted { $0.key < $1.key }.map { .init(outcome: $0.key, imageCount: $0.value) }
        return observation
    }

    // MARK: - Recording

    /// Records again if the filesystem does not end at its unmount: a new mount namespace, such as that of a container,
    /// may hold a copy of the mount.
    private func recording(of script: LitmusScript, _ aftermath: LitmusAftermath) throws -> Recording {
        for _ in 1..<Self.attempts {
            do { return try record(script, aftermath) } catch BlockError.busy { continue }
        }
        return try record(script, aftermath)
    }

    private static let attempts = 3

    private func record(_ script: LitmusScript, _ aftermath: LitmusAftermath) throws -> Recording {
        recordingCount += 1
        let (backing, trace) = (context.scratchFile("store"), context.scratchFile("litmus.trace"))
        let text = context.scratchFile("script")
        for file in [trace, text, context.oracle] { try RunFiles.remove(file) }
        try TreeRemoval.remove(backing)
        try RunFiles.makeDirectory(backing)
        try TreeCopy.fill(backing, from: template)
        try OutputFile.create(text, Array(script.text(outcomes: []).utf8))
        var options = MountOptions()
        options.oraclePath = context.oracle
        options.judgeOracleLine = { _, _ in .complete }
        options.profile = .block
        let place = RecordedMount(
            context: context, backing: backing, mountPoint: context.scratchFile("mount"), trace: trace)
        var (recording, _) = try place.record(options) { _ in
            try execute(text, aftermath, on: place.mountPoint)
        }
        recording.sectorBytes = 4096
        return recording
    }

    private static let timeoutMilliseconds = 60_000

    private func execute(_ script: ByteString, _ aftermath: LitmusAftermath, on device: ByteString) throws {
        let mountPoint = context.scratchFile("filesystem")
        let loop = try LoopDevice(
            device.appending(component: ImageRecovery.diskName), in: context.scratch, isDirect: true)
        let mount = ServedMount(loop, filesystem, at: mountPoint)
        try mount.mount()
        do {
            var command = Command([
                driver, "litmus", "workload", ByteString("--script=\(script)"),
                ByteString("--aftermath=\(aftermath.rawValue)"),
            ])
            command.environment["FAULTLINE_DIR"] = mountPoint.appending(component: FreshFilesystem.storeName)
            command.environment["FAULTLINE_ORACLE"] = device.appending(component: ".faultline/oracle")
            let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: Self.timeoutMilliseconds)
            guard termination.isSuccess else {
                let said = ByteString(process.standardError.bytes).said
                throw LitmusError("the script \(termination) on \(filesystem.rawValue): \(said)")
            }
            try mount.end()
        } catch {
            mount.detach()
            throw error
        }
    }

    // MARK: - Images

    private enum Outcome: Sendable {
        case tree(String)
        case broken(String)
    }

    /// The number of states in the queue for mounting.
    private static let batchCount = 64

    private func examine(
        at recording: Recording, _ aftermath: LitmusAftermath, _ allowed: inout AllowedOutcomes,
        _ observation: inout LitmusObservation, _ counts: inout [String: Int]
    ) throws {
        let place = context.scratchFile("images-\(recordingCount)")
        try RunFiles.makeDirectory(place)
        let pool = ImagePool(filesystem, scratch: place)
        defer {
            pool.close()
            try? TreeRemoval.remove(place)
        }
        var outcomes: [StateHash: Outcome] = [:]
        var (waiting, open) = (Set<StateHash>(), [(hash: StateHash, tree: Tree)]())
        var places: [StatePlace: Int] = [:]
        func flush() throws {
            guard !context.shouldStop() else { throw RunError.interrupted }
            let workers = BlockImages.workers
            let found = try Parallel.map(open, workers: workers) { _, state in
                try Self.outcome(of: state.tree, recording.payloads, pool)
            }
            for (state, outcome) in zip(open, found) { outcomes[state.hash] = outcome }
            observation.imageCount += open.count
            (waiting, open) = ([], [])
        }
        let coverage = try recording.forEachState(.block, limits, seed: 1) { swept in
            guard let moment = LitmusMoment(lineCount: swept.lineCount) else { return }
            let place = StatePlace(hash: swept.hash, moment: moment)
            let isFirst = places.updateValue(swept.eventCount, forKey: place) == nil
            guard isFirst, outcomes[swept.hash] == nil, waiting.insert(swept.hash).inserted else { return }
            open.append((swept.hash, swept.state().tree))
            if open.count == Self.batchCount { try flush() }
        }
        try flush()
        observation.epochs += coverage.epochs
        observation.exhaustedEpochs += coverage.exhaustedEpochs
        for (place, event) in places.sorted(by: { $0.value < $1.value }) {
            guard let outcome = outcomes[place.hash] else { continue }
            try note(outcome, place.moment, event, aftermath, &allowed, &observation, &counts)
        }
    }

    private struct StatePlace: Hashable {
        var hash: StateHash
        var moment: LitmusMoment
    }

    private func note(
        _ outcome: Outcome, _ moment: LitmusMoment, _ event: Int, _ aftermath: LitmusAftermath,
        _ allowed: inout AllowedOutcomes, _ observation: inout LitmusObservation, _ counts: inout [String: Int]
    ) throws {
        switch outcome {
        case .broken(let reason):
            if !observation.broken.contains(reason) { observation.broken.append(reason) }
        case .tree(let tree):
            if allowed.isLast(moment) { counts[tree, default: 0] += 1 }
            guard try !allowed.contains(tree, at: moment) else { return }
            let isKnown = observation.forbidden.contains {
                $0.outcome == tree && $0.step == moment.step + 1 && $0.isStepOver == moment.isOver
            }
            guard !isKnown else { return }
            observation.forbidden.append(
                .init(
                    outcome: tree, step: moment.step + 1, isStepOver: moment.isOver, aftermath: aftermath, event: event)
            )
        }
    }

    private static func outcome(of tree: Tree, _ payloads: any PayloadStore, _ pool: ImagePool) throws -> Outcome {
        guard let inode = tree[DirectoryEntry(.root, ImageRecovery.diskName)], let disk = tree.nodes[inode] else {
            return .broken("the device is not there")
        }
        return try pool.withImage { image in
            try image.load(disk.content, payloads)
            let mount: BlockMount
            do { mount = try image.mount() } catch let failure as MountFailure { return .broken("\(failure)") }
            let directory = "\(image.mountPoint.appending(component: FreshFilesystem.storeName))"
            let outcome: Outcome
            do { outcome = .tree(try LitmusDirectory.describe(directory)) } catch {
                // The path differs from image to image.
                outcome = .broken("reading it: \("\(error)".replacing(directory, with: "the directory"))")
            }
            try mount.end()
            return outcome
        }
    }
}

/// The trees that a profile allows at each step of a script, derived lazily.
private struct AllowedOutcomes {
    private let script: LitmusScript
    private let profile: Profile?
    private let trace: LitmusTrace
    private var known: [LitmusMoment: Set<String>] = [:]

    init(_ script: LitmusScript, _ profile: Profile?) throws {
        (self.script, self.profile, trace) = (script, profile, try LitmusTrace(script))
    }

    func isLast(_ moment: LitmusMoment) -> Bool { moment.step + 1 == script.run.count && moment.isOver }

    /// The trees allowed after the last step; nil without a profile.
    var last: Set<String>? {
        mutating get throws { try allowed(at: LitmusMoment(lineCount: 2 * script.run.count)) }
    }

    mutating func contains(_ outcome: String, at moment: LitmusMoment) throws -> Bool {
        try allowed(at: moment)?.contains(outcome) ?? true
    }

    private mutating func allowed(at moment: LitmusMoment?) throws -> Set<String>? {
        guard let profile, let moment else { return nil }
        if let known = known[moment] { return known }
        let allowed = Set(try trace.outcomes(profile, unitBytes: script.unitBytes, at: moment))
        known[moment] = allowed
        return allowed
    }
}
