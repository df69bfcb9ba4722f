import Block
import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Storage
import Targets

/// Makes the device below a real filesystem fail, each fault at each moment: a workload on a new filesystem, the fault, an
/// unmount by force, a mount from what is on the device, the store's recovery.
///
/// Which acknowledgements count depends on the fault (docs/power-loss-testing.md):
/// - error_writes, error_reads, random_read_corrupt, error, delay, dust: all. Whoever acknowledged a write that failed has ignored the error.
/// - drop_writes: those before the fault. A device that answers and drops is to blame for the later ones.
/// - corrupt_bio_byte, random_write_corrupt: a prefix, and the store may refuse to open: it must not show wrong data.
///
/// A filesystem that does not mount, or that its checker complains of, is the filesystem's own: verdict `filesystem`.
struct FlakeyRun: ScenarioRun {
    let scenario: FlakeyScenario
    let request: RunRequest
    let context: RunContext
    let program: String
    private(set) var tally = RunTally()
    private let client: RecoverClient
    private let images = ImageTally()

    init(_ scenario: FlakeyScenario, _ request: RunRequest, _ context: RunContext, program: String) {
        (self.scenario, self.request, self.context, self.program) = (scenario, request, context, program)
        client = RecoverClient(request.target)
    }

    mutating func run() throws {
        defer {
            try? client.close()
            tally.block = RunResult.Block(BlockSetup(scenario.filesystem), images.counts)
        }
        context.progress("a workload without faults")
        try RecoveryControl(request, context).requireOfLife(seed: request.seed)
        let all = scenario.cycleCount * scenario.faults.count * scenario.moments.count
        for cycle in 1...scenario.cycleCount {
            for fault in scenario.faults {
                for moment in scenario.moments {
                    if context.shouldStop() { throw RunError.interrupted }
                    let number = tally.flakey.count + 1
                    context.progress("\(fault.rawValue) \(moment.rawValue) the workload, \(number) of \(all)")
                    tally.flakey.append(try tried(FlakeyTrial(cycle: cycle, fault, moment), number))
                }
            }
        }
        // Of a store that may refuse to open, less is seen.
        if scenario.faults.allSatisfy(\.damagesDevice), !tally.detectedChecks.contains(.durable) {
            tally.appliedContract = .prefix
        }
    }

    // MARK: - One trial

    /// A late moment is tried again, earlier.
    private static let attempts = 3

    private mutating func tried(_ trial: FlakeyTrial, _ number: Int) throws -> FlakeyTrial {
        var trial = trial
        if trial.fault.damagesDevice, !request.target.target.detectsCorruption {
            trial.detail = "\(request.target.target.name) does not promise to notice bytes that storage changed"
            return trial
        }
        var request = request
        request.seed &+= UInt64(trial.cycle - 1)
        (request.shape.keyBytes, request.shape.durationSeconds) = (scenario.keyBytes, scenario.durationSeconds)
        for attempt in 1...Self.attempts {
            let part = context.part("trial-\(number)" + (attempt == 1 ? "" : "-\(attempt)"))
            let place = context.scratchFile("trial-\(number)-\(attempt)")
            try RunFiles.makeDirectory(place)
            defer { try? TreeRemoval.remove(place) }
            if try attemptOnce(&trial, request, part, place, attempt) { break }
        }
        return trial
    }

    /// False if the workload ended before the device failed.
    private mutating func attemptOnce(
        _ trial: inout FlakeyTrial, _ request: RunRequest, _ part: RunContext, _ place: ByteString, _ attempt: Int
    ) throws -> Bool {
        let size = scenario.sizeMebibytes.map { UInt64($0) << 20 } ?? scenario.filesystem.sizeBytes
        // The name of the scratch directory says whose the device is.
        let owner = context.scratch.bytes.split(separator: UInt8(ascii: "/")).last ?? []
        let name =
            "\(String(decoding: owner, as: UTF8.self))-\(trial.cycle)-\(trial.fault.rawValue)-\(trial.moment.rawValue)"
        let stack = try FlakeyStack(scenario.filesystem, sizeBytes: size, in: place, named: name)
        defer { stack.end() }
        if let problem = try stack.problem(with: trial.fault) {
            trial.detail = "this kernel does not take it: \(problem)"
            return true
        }
        let life = FlakeyLife(request: request, context: context, stack: stack, oracle: part.oracle)
        let change: FlakeyLife.Switch?
        switch trial.moment {
        case .afterWorkload: change = try life.failAfter(trial.fault)
        case .duringWorkload:
            let count = acknowledgement(of: trial, request, attempt)
            change = try life.fail(trial.fault, atAcknowledgement: count)
        }
        guard let change else { return false }
        tally.faultsFired += 1
        var history = OracleHistory(part.oracle, context.memory)
        try history.readNewLines()
        tally.acknowledged += history.acknowledged
        trial.acknowledged = change.acknowledged
        trial.acknowledgedLater = history.acknowledged - change.acknowledged
        trial.reaction = stack.reaction(to: trial.fault)?.rawValue
        try stack.unmount()
        try stack.change(to: nil)
        let image = place.appending(component: "image")
        let evidence = try evidence(stack, copyingTo: image)
        try judge(evidence, &trial, change, history, stack, image)
        return true
    }

    /// Drawn from the seed; earlier for each attempt that came too late.
    private func acknowledgement(of trial: FlakeyTrial, _ request: RunRequest, _ attempt: Int) -> Int {
        var stream = RandomStream(seed: request.seed).stream(ByteString("flakey-\(trial.fault.rawValue)"))
        let most = max(1, (request.operationCount - 1) / UInt64(attempt))
        return 1 + Int(stream.next(upperBound: most))
    }

    // MARK: - What is there afterwards

    /// Mounts the filesystem, copies the store as it is found, and recovers it.
    private func evidence(_ stack: FlakeyStack, copyingTo image: ByteString) throws -> Evidence {
        do {
            try images.time(.mount) { try stack.remount() }
        } catch let failure as MountFailure {
            return Evidence(.filesystemBroken(reason: "\(failure)"))
        }
        images.noteRecovery()
        var evidence = try images.time(.recover) { try recovered(stack, image) }
        if evidence.recovery.failure != nil, let reason = stack.refusalOfWrites {
            // A store that does not open on a filesystem that takes no write has not failed by itself.
            evidence = Evidence(.filesystemBroken(reason: reason))
        }
        try images.time(.unmount) { try stack.unmount() }
        return evidence
    }

    private func recovered(_ stack: FlakeyStack, _ image: ByteString) throws -> Evidence {
        let links: [EscapingLink]
        do {
            links = try Tree(skeletonOf: stack.store).escapingLinks()
            try TreeCopy.copy(stack.store, to: image)
        } catch {
            try context.requireRoom("copying the store")
            return Evidence(.filesystemBroken(reason: "reading the store's files: \(error)"))
        }
        let client = try client.confined(for: links, in: context.scratch)
        let first = try client.recoverAlone(stack.store) {
            try TreeRemoval.remove(stack.store)
            try TreeCopy.copy(image, to: stack.store)
        }
        var evidence = Evidence(first.recovery)
        if case .opened = first { evidence.secondRecovery = try client.recoverAlone(stack.store).recovery }
        if !evidence.isOpenThroughout { try context.requireRoom("recovering the store") }
        return evidence
    }

    // MARK: - Judging

    private mutating func judge(
        _ evidence: Evidence, _ trial: inout FlakeyTrial, _ change: FlakeyLife.Switch, _ history: OracleHistory,
        _ stack: FlakeyStack, _ image: ByteString
    ) throws {
        let contract: Contract = trial.fault.damagesDevice ? .prefix : request.contract
        var (evidence, judgement) = (evidence, judgement(evidence, trial.fault, change, history, contract))
        if judgement.verdict != .pass || trial.fault != .errorWrites {
            images.noteCheck()
            if let complaint = try images.time(.check, { try stack.complaint() }) {
                trial.detail = complaint
                evidence = Evidence(.filesystemBroken(reason: evidence.brokenFilesystem ?? complaint))
                judgement = history.validator.judge(evidence, contract: contract)
            }
        }
        tally.counts.decided += 1
        tally.counts.checked += 1
        if evidence.recovery.failure == nil { trial.keys = .init(judgement.totals) }
        tally.notTried.formUnion(judgement.notTried)
        tally.unjudged.formUnion(judgement.unjudged.values)
        // A store that notices wrong bytes may refuse them.
        let mayRefuse = trial.fault.damagesDevice && judgement.broken == [.opens]
        guard judgement.verdict == .violation || judgement.verdict == .filesystem, !mayRefuse else {
            trial.outcome = .kept
            if mayRefuse { trial.detail = evidence.recovery.failure }
            if judgement.verdict == .pass {
                let isWhole =
                    history.validator.judge(evidence, contract: request.contract, at: judgement.line).verdict
                    == .pass
                tally.control(history.validator, evidence, isWhole ? request.contract : contract, at: judgement.line)
            }
            return
        }
        trial.outcome = judgement.verdict == .violation ? .violation : .filesystem
        if let reason = evidence.brokenFilesystem { trial.detail = reason }
        for check in judgement.broken {
            guard let violation = judgement.violations.first(where: { $0.check == check }) else { continue }
            try add(violation, judgement, trial, contract, history, image)
        }
    }

    /// Judges by the acknowledgements that count.
    private func judgement(
        _ evidence: Evidence, _ fault: FlakeyFault, _ change: FlakeyLife.Switch, _ history: OracleHistory,
        _ contract: Contract
    ) -> Judgement {
        guard fault == .dropWrites else { return history.validator.judge(evidence, contract: contract) }
        // The device dropped everything from some moment of the change on: one of these lines was the last before it.
        let first = history.validator.judge(evidence, contract: contract, at: change.linesBefore)
        guard first.verdict == .violation, change.linesBefore < change.linesAfter else { return first }
        for line in change.linesBefore + 1...change.linesAfter {
            let later = history.validator.judge(evidence, contract: contract, at: line)
            if later.verdict != .violation { return later }
        }
        return first
    }

    private mutating func add(
        _ violation: Violation, _ judgement: Judgement, _ trial: FlakeyTrial, _ contract: Contract,
        _ history: OracleHistory, _ image: ByteString
    ) throws {
        let cause = Cause(
            violation.check, error: violation.error, hasAcknowledged: judgement.hasAcknowledged,
            isHang: judgement.isHang)
        let run = self
        try tally.add(cause, error: violation.error) {
            let fact = FindingFact.flakey(trial, violation)
            guard violation.check != .filesystem else {
                return Finding(
                    check: .filesystem, strongestProfile: .profile(.block), lost: [],
                    story: run.context.wording.words(for: fact), states: 1)
            }
            return try CaseWriter(request: run.request, context: run.context, program: run.program).write(
                found: image, by: .flakey, .block, contract, cause, fact,
                oracle: history.text(firstLines: judgement.line), shown: nil)
        }
    }
}

extension Evidence {
    /// Why the filesystem is broken; nil if it is not.
    fileprivate var brokenFilesystem: String? {
        if case .filesystemBroken(let reason) = recovery { reason } else { nil }
    }
}
