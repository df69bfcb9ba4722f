import Bytes
import Exploration
import Glibc
import Machine
import Model
import Oracle
import Platform
import Runs
import Storage
import Targets

/// Kills the process: SIGKILL to the process group of the workload. The kernel keeps everything that it wrote.
///
/// A first life without a kill measures how long the workload takes. Each cycle then kills the store at a seeded time
/// or at a trigger, recovers it, judges it and continues with it. Only kills during the workload count; the run is
/// inconclusive if fewer than half do. Finally `KillBoundaries` checks every boundary between operations, which needs
/// FUSE for stores in other processes; the rest needs nothing from the machine.
struct KillRun: ScenarioRun {
    package let scenario: KillScenario
    package let request: RunRequest
    package let context: RunContext
    package let program: String
    private var history: OracleHistory
    package private(set) var tally = RunTally()
    private let client: RecoverClient
    /// The observation at the start of this life; nil in the first life.
    private var shown: Observation?

    package init(_ scenario: KillScenario, _ request: RunRequest, _ context: RunContext, program: String) {
        self.scenario = scenario
        self.request = request
        self.context = context
        self.program = program
        client = RecoverClient(request.target)
        history = OracleHistory(context.oracle, context.memory)
    }

    /// A life of the store.
    private struct Life {
        var end: WorkloadEnd
        /// The number of acknowledgements in this life.
        var acknowledged: Int
        /// The time from the first acknowledgement to the end.
        var seconds: Double
        /// Whether SIGKILL ended the workload.
        var wasKilled: Bool
        /// The new file that triggered the kill.
        var newFile: ByteString?

        var termination: Termination { end.termination }
    }

    private var store: ByteString { context.scratchFile("store") }

    package mutating func run() throws {
        try request.target.makeStore(at: store)
        defer { try? client.close() }
        let whole = try live(until: nil)
        guard whole.termination.isSuccess else {
            throw RunError.failedWithoutFault(
                whole.end, wroteLines: history.lineCount)
        }
        guard try judge(whole, after: nil), tally.findings.isEmpty else { return }
        try killLive(afterLifeOf: whole.seconds)
        if context.shouldStop() { throw RunError.interrupted }
        var boundaries = KillBoundaries(request, context, program: program)
        tally.boundaries = try boundaries.check(&tally)
    }

    private mutating func killLive(afterLifeOf seconds: Double) throws {
        var stream = RandomStream(seed: request.seed).stream("kills")
        for cycle in 1...max(1, scenario.killCount) where scenario.killCount > 0 {
            if context.shouldStop() { throw RunError.interrupted }
            context.progress("kill \(cycle) of \(scenario.killCount)")
            let fraction = Double(stream.next(upperBound: 1_000_000 as UInt64)) / 1_000_000
            let plan = scenario.trigger.map(KillPlan.at)
            for attempt in 1...Self.mostAttempts {
                // A life may be shorter than the first one. After a kill that came too late, try again with an earlier
                // one.
                let life = try live(until: plan ?? .afterSeconds(fraction * seconds / Double(attempt)))
                if !life.wasKilled, !life.termination.isSuccess {
                    let said = "the workload \(life.end)"
                    let cause = Cause(.writable, error: said, hasAcknowledged: history.acknowledged > 0)
                    try tally.add(cause, error: said) { [run = self] in try run.refusal(life, cycle) }
                    return
                }
                let cut = cut(of: life, cycle)
                let isLast = cut.landed || plan != nil || attempt == Self.mostAttempts
                if isLast { tally.cuts.append(cut) }
                let kill = KillFact(number: cycle, acknowledged: life.acknowledged, asked: cut.asked)
                guard try judge(life, after: kill) else { return }
                if isLast { break }
            }
        }
    }

    private static let mostAttempts = 3

    private func cut(of life: Life, _ cycle: Int) -> RunResult.Cut {
        let hasWorkLeft = UInt64(life.acknowledged) < request.operationCount
        return RunResult.Cut(
            cycle: cycle, acknowledged: life.acknowledged, asked: scenario.trigger?.acknowledgement,
            inFlight: history.inFlight,
            landed: life.wasKilled && life.acknowledged > 0 && hasWorkLeft, file: life.newFile?.shown)
    }

    // MARK: - A life

    private mutating func live(until plan: KillPlan?) throws -> Life {
        let linesBefore = history.takenBytes
        var environment = request.environment(
            store, oracle: context.oracle, firstSeq: history.nextSeq, oracleMayShare: true)
        if case .at(.acknowledgement(let count)) = plan { environment.acknowledgementLimit = count }
        let workload = try WorkloadRun(request.target, environment)
        var watch = OracleWatch(context.oracle, from: linesBefore)
        let life = try plan.map { try kill(workload, at: $0, &watch) } ?? (try finish(workload, &watch))
        try history.readNewLines()
        tally.acknowledged = history.acknowledged
        return life
    }

    private func finish(_ workload: WorkloadRun, _ watch: inout OracleWatch) throws -> Life {
        var firstAt: Double?
        // Poll for the first acknowledgement; afterwards wait for the end.
        let limit = MonotonicTime.seconds() + Double(request.target.target.timeoutSeconds)
        while firstAt == nil, !context.shouldStop(), MonotonicTime.seconds() < limit {
            watch.poll()
            if watch.acknowledged > 0 { firstAt = MonotonicTime.seconds() }
            if try workload.process.wait(timeoutMilliseconds: 1) != nil { break }
        }
        guard let termination = try workload.finish(watching: context.oracle, shouldStop: context.shouldStop) else {
            throw RunError.interrupted
        }
        watch.poll()
        return Life(
            end: WorkloadEnd(termination, errorOutput: workload.errorOutput), acknowledged: watch.acknowledged,
            seconds: MonotonicTime.seconds() - (firstAt ?? MonotonicTime.seconds()), wasKilled: false)
    }

    /// The time that a kill at an acknowledgement waits for the next operation to begin, in seconds.
    private static let nextOperationTimeLimitSeconds = 1.0

    private func kill(_ workload: WorkloadRun, at plan: KillPlan, _ watch: inout OracleWatch) throws -> Life {
        let began = MonotonicTime.seconds()
        var (firstAt, lastAt) = (Double.infinity, began)
        // In a batch, the next operation began before the acknowledgement.
        let timeLimit = request.shape.batchCount > 1 ? 0 : Self.nextOperationTimeLimitSeconds
        let limit = Double(request.target.target.timeoutSeconds)
        var files: NewFileWatch?
        while workload.process.termination == nil {
            let before = watch.acknowledged
            watch.poll()
            let now = MonotonicTime.seconds()
            if watch.acknowledged > before { lastAt = now }
            if watch.acknowledged > 0, firstAt > now {
                firstAt = now
                if case .at(.newFile) = plan { files = NewFileWatch(store) }
            }
            if context.shouldStop() {
                _ = try workload.kill()
                throw RunError.interrupted
            }
            let isTime =
                switch plan {
                case .afterSeconds(let seconds): now - firstAt >= seconds
                case .at(.acknowledgement(let count)):
                    watch.acknowledged >= count && (watch.isFollowed || now - lastAt > timeLimit)
                case .at(.newFile(let glob)): files?.file(matching: glob) != nil
                }
            if isTime || now - lastAt > limit { break }
            usleep(50)
        }
        let hung = MonotonicTime.seconds() - lastAt > limit
        let wasAlive = workload.process.termination == nil
        let termination = try workload.kill()
        watch.poll()
        var newFile: ByteString?
        if case .at(.newFile(let glob)) = plan { newFile = files?.file(matching: glob) }
        return Life(
            end: WorkloadEnd(hung ? .timedOut : termination, errorOutput: workload.errorOutput),
            acknowledged: watch.acknowledged,
            seconds: MonotonicTime.seconds() - min(firstAt, MonotonicTime.seconds()),
            wasKilled: wasAlive && !hung && termination == .signalled(SIGKILL), newFile: newFile)
    }

    // MARK: - Judging

    /// Recovers the state, judges it, and begins the next life. False if the store cannot continue.
    ///
    /// - Parameter kill: nil for a life that ended normally.
    private mutating func judge(_ life: Life, after kill: KillFact?) throws -> Bool {
        // Recovery changes the files, and the case needs them as the kill left them.
        let image = context.scratchFile("image")
        try? TreeRemoval.remove(image)
        try TreeCopy.copy(store, to: image)
        let first = try client.recoverAlone(store) {
            try TreeRemoval.remove(store)
            try TreeCopy.copy(image, to: store)
        }
        // The first life was not killed, so its recovery is the control.
        if shown == nil { try RecoveryControl(request, context).require(first.recovery) }
        var evidence = Evidence(first.recovery)
        if case .opened = first { evidence.secondRecovery = try client.recoverAlone(store).recovery }
        if !evidence.isOpenThroughout { try context.requireRoom("recovering the store") }
        if shown != nil, life.acknowledged > 0 {
            tally.noteWrites(afterRecoveryIn: &evidence, history.validator, request.contract)
        }
        let judgement = history.validator.judge(evidence, contract: request.contract)
        tally.counts.decided += 1
        tally.counts.checked += 1
        tally.notTried.formUnion(judgement.notTried)
        tally.unjudged.formUnion(judgement.unjudged.values)
        for check in judgement.broken {
            guard let violation = judgement.violations.first(where: { $0.check == check }) else { continue }
            let cause = Cause(
                check, error: violation.error, hasAcknowledged: judgement.hasAcknowledged, isHang: judgement.isHang)
            let run = self
            try tally.add(cause, error: violation.error) {
                try run.finding(violation, cause, after: kill, image: image)
            }
        }
        if judgement.verdict == .pass {
            tally.control(history.validator, evidence, request.contract, at: history.lineCount)
        }
        guard case .opened(let observation) = first else { return false }
        try history.restart(showing: observation)
        shown = observation
        return true
    }

    private func finding(
        _ violation: Violation, _ cause: Cause, after kill: KillFact?, image: ByteString
    ) throws -> Finding {
        let writer = CaseWriter(request: request, context: context, program: program)
        return try writer.write(
            killed: image, cause, kill.map { .kill($0, violation) } ?? .withoutFault(violation),
            oracle: history.text(firstLines: .max), shown: shown)
    }

    private func refusal(_ life: Life, _ cycle: Int) throws -> Finding {
        try context.requireRoom("the workload")
        if life.termination.isUsageError {
            throw RunError.calledWrongly(life.end)
        }
        return Finding(
            check: .writable, strongestProfile: .profile(.kill), lost: [],
            story: context.wording.words(for: .workloadFailed(after: .kill(cycle - 1), life.end)), states: 1)
    }
}
