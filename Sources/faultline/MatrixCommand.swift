import ArgumentParser
import Bytes
import Foundation
import Glibc
import Machine
import Matrices
import Model
import Oracle
import Platform
import Report
import Runs
import Scenarios
import Synchronization
import Targets

struct MatrixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix",
        abstract:
            "Runs a matrix of targets, scenarios, seeds and parameters; by default the built-in targets under what works here.",
        discussion: """
              faultline matrix                              the default matrix: a first result in a minute
              faultline matrix night.yaml --duration 8h     a soak: the seeds go on rising until time is up
              faultline matrix night.yaml --against faultline-runs/matrix-1.jsonl     what changed since that one
              faultline matrix night.yaml --shard 2/5       a fifth of it; `faultline merge` puts the shards together

            docs/matrix.md explains the file. Cells whose violation is known or planted are marked as expected: the \
            matrix passes when every cell comes out as expected, so that it can be run in CI. Results are written as \
            they come; what was interrupted goes on with --resume.
            """)

    @Argument(help: "A matrix file (docs/matrix.md).")
    var file: ByteString?

    @Option(help: "How many cells run at once.")
    var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)

    @Flag(help: "Make it an error (2) when a scenario cannot run here, instead of skipping its cells.")
    var require = false

    @Flag(help: "Stop at the first cell that does not come out as expected.")
    var failFast = false

    @Flag(
        help: """
            Look for each finding below a real ext4, xfs and btrfs, too, for \(Confirmer.defaultSeconds) s each (root; \
            docs/real-filesystems.md).
            """)
    var confirm = false

    @Option(help: "Begin no further cell after this time, such as 60s, 10m, 8h.")
    var budget: TimeSpan?

    @Option(help: "Run the matrix again and again with rising seeds for this time, such as 8h.")
    var duration: TimeSpan?

    @Option(help: "Run every N-th cell only, beginning with the K-th, as K/N.")
    var shard: Shard = .whole

    @Option(help: "Resume the matrix run whose results are in this file.")
    var resume: ByteString?

    @Option(help: "Kills or power cuts of a cell that does not set `cycles` (default: the scenario's).")
    var cycles: Int?

    @OptionGroup var output: MatrixOutput
    @OptionGroup var options: RunOptions

    func validate() throws {
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs must be from 1 to 64") }
        guard (0...1000).contains(cycles ?? 0) else { throw ValidationError("--cycles must be from 0 to 1000") }
        guard duration == nil || resume == nil && shard == .whole else {
            throw ValidationError("--duration goes with neither --resume nor --shard")
        }
        guard resume == nil || shard == .whole else {
            throw ValidationError("--resume takes the shard from its file: omit --shard")
        }
    }

    func run() throws {
        // After an interruption, print the results so far and the command to resume before the process ends.
        let status = try Interruption.shared.awaiting { try runAndReport() }
        Interruption.shared.waitIfInterrupted()
        throw status
    }

    private func runAndReport() throws -> ExitStatus {
        let reports = try output.open(options.reports, reading: [file, resume].compactMap(\.self))
        let earlier = try output.earlier()
        var matrix = try readMatrix()
        try skipWhatCannotRun(&matrix)
        let began = ContinuousClock.now
        let parent = RunDirectory.parent(option: options.out)
        let (log, logged) =
            try resume.map { try MatrixLog.resume($0, matrix, program: ProgramName.shown) }
            ?? (try MatrixLog.make(in: parent, matrix, shard), [:])
        do { try reports.refuse(log: log.path) } catch {
            if resume == nil { _ = log.path.withCString { unlink($0) } }
            throw error
        }
        // Repeat cells that failed because of the machine: its disk may have been full.
        let finished = logged.filter { $0.value.isAsExpected || $0.value.result?.verdict != .harnessError }
        var logs = [log]
        var (rows, failure) = try runOnce(matrix, log, finished, began)
        var round: UInt64 = 0
        while let duration, began.duration(to: .now) < duration.duration, !Interruption.shared.isInterrupted,
            failure == nil, !failFast || rows.allSatisfy({ $0.isAsExpected || $0.obstacle != nil })
        {
            round += 1
            let next = Matrix(cells: matrix.round(round))
            logs.append(try MatrixLog.make(in: parent, next, .whole))
            try reports.refuse(log: logs[logs.count - 1].path)
            let more: [MatrixRow]
            (more, failure) = try runOnce(next, logs[logs.count - 1], [:], began)
            rows += more
        }
        let again = duration == nil ? resumeCommand(log) : nil
        let report = MatrixReport(rows, showsAll: output.all, against: earlier)
        let written = Result { try reports.write(report, keptIn: logs.map(\.path), again: again) }
        let isOutOfBudget = rows.contains(where: \.isOutOfBudget)
        if Interruption.shared.isInterrupted || isOutOfBudget || failure != nil, duration == nil {
            StandardError.say("continue with: \(resumeCommand(log))")
        }
        try written.get()
        if let failure { throw failure }
        return ExitStatus(report.verdict)
    }

    /// The command that resumes with the results in `log`, with the options that select the cells.
    private func resumeCommand(_ log: MatrixLog) -> String {
        var words: [String] = []
        var rest = CommandLine.arguments.dropFirst()
        while let word = rest.popFirst() {
            if ["--resume", "--shard", "--duration"].contains(word) {
                _ = rest.popFirst()
            } else if !["--resume=", "--shard=", "--duration="].contains(where: word.hasPrefix) {
                words.append(word)
            }
        }
        words += ["--resume", "\(log.path)"]
        return ([ProgramName.shown] + words).map { ReproduceScript.quoted($0) }.joined(separator: " ")
    }

    private func readMatrix() throws -> Matrix {
        let catalog = try TargetCatalog.besideThisProgram()
        let defaults = MatrixFile.Defaults(
            seed: options.seed,
            profile: try profile,
            operationCount: options.operationCount,
            threadCount: options.threads,
            valueBytes: options.valueLen, cycles: cycles)
        if let file { return try MatrixFile.matrix(at: file, catalog, defaults) }
        return try MatrixFile(catalog, defaults).matrix(DefaultMatrix.text, file: "the default matrix")
    }

    /// The profile of cells without one.
    private var profile: Profile {
        get throws {
            guard case .one(let profile) = options.profile else {
                throw ValidationError("--profile all is for explore; in a matrix file: profile: all")
            }
            return profile
        }
    }

    /// Runs the unfinished cells of the shard. If a result cannot be saved, starts no further cell and sets `failure`.
    private func runOnce(
        _ matrix: Matrix, _ log: MatrixLog, _ finished: [Int: MatrixRow], _ began: ContinuousClock.Instant
    ) throws -> (rows: [MatrixRow], failure: (any Error)?) {
        let places = matrix.cells.indices.filter { log.header.shard.holds($0) }
        let waiting = places.filter { finished[$0] == nil }
        let progress = MatrixProgress(
            total: places.count, done: places.count - waiting.count, options.progress.progress)
        var session = options.session
        // Concurrent cells share the memory.
        session.runsAtOnce = min(jobs, max(waiting.count, 1))
        session.guests = GuestPool(keeping: jobs)
        defer { session.guests.end() }
        let hasFailed = Atomic<Bool>(false)
        let failure = Guarded<(any Error)?>(nil)
        let cannotKeep = Atomic<Bool>(false)
        let end = budget.map { began + $0.duration }
        let isOver: @Sendable () -> Bool = { end.map { ContinuousClock.now >= $0 } ?? false }
        let failFast = failFast
        let doctor = Doctor(driver: DoctorCommand.driver())
        let results = matrix.run(
            waiting, workers: jobs,
            shouldStop: {
                Interruption.shared.isInterrupted || failFast && hasFailed.load(ordering: .relaxed) || isOver()
                    || cannotKeep.load(ordering: .relaxed)
            },
            { [session, confirm] cell in
                let show: @Sendable (RunProgress) -> Void = { progress.show($0.within(cell.request.target.label)) }
                var result = session.run(cell.request, progress: show)
                if confirm {
                    Confirmer(
                        cell.request, seconds: Confirmer.defaultSeconds, in: session,
                        obstacle: { doctor.obstacle(to: $0) }
                    ).confirm(&result, progress: show)
                }
                return result
            },
            finished: { index, result in
                let row = MatrixRow(matrix.cells[index], result)
                if !row.isAsExpected { hasFailed.store(true, ordering: .relaxed) }
                progress.finish(row)
                // An interrupted cell is run again on resume.
                if Interruption.shared.isInterrupted, result.verdict != .violation { return }
                let kept = row.withoutLocalPaths(
                    program: ProgramName.shown, matrix.cells[index].request, in: log.folder)
                do { try log.append(index, kept) } catch {
                    failure.withLock { $0 = $0 ?? error }
                    cannotKeep.store(true, ordering: .relaxed)
                }
            })
        progress.clear()
        let reason = failure.withLock { $0 }
        let wasOver = isOver()
        let rows = try places.map { index in
            if let row = finished[index] { return row }
            var row = MatrixRow(matrix.cells[index], results[index])
            if row.result == nil, row.obstacle == nil, wasOver {
                (row.obstacle, row.outOfBudget) = (English().words(for: .budgetIsUsedUp), true)
            }
            if row.obstacle != nil, !wasOver, reason == nil { try log.append(index, row) }
            return row
        }
        return (rows, reason)
    }

    /// Marks the cells that cannot run here; with `--require` that is an error.
    private func skipWhatCannotRun(_ matrix: inout Matrix) throws {
        let picker = options.machines.picker
        Interruption.shared.awaiting { matrix.skip { picker.obstacle(to: $0) } }
        guard require, let cell = matrix.cells.first(where: { $0.obstacle != nil }), let obstacle = cell.obstacle else {
            return
        }
        throw ValidationError("\(cell.request.scenario.name) cannot run here: \(obstacle)")
    }
}

extension Shard: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
}
