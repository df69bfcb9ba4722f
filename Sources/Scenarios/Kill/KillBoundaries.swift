import Exploration
import Machine
import Model
import Runs

/// The deterministic part of `kill`: records one run, and checks the files that a kill would have left at each
/// operation (`explore --profile kill`).
///
/// Live kills mostly hit the operations that take the longest; this finds bugs between two short operations. A store in
/// another process needs FUSE for it.
struct KillBoundaries {
    /// The limits on operations and seconds: long runs are for the live kills.
    static let mostOperations: UInt64 = 200
    static let mostSeconds = 30
    /// The limit after a live kill has found something.
    static let mostSecondsAfterFinding = 5

    private var request: RunRequest
    private let context: RunContext
    private let program: String

    package init(_ request: RunRequest, _ context: RunContext, program: String) {
        var request = request
        request.profile = .kill
        request.operationCount = min(request.operationCount, Self.mostOperations)
        if request.target.builtInStore != nil { request.shape.threadCount = 1 }
        self.request = request
        self.context = context.part("boundaries")
        self.program = program
    }

    /// Checks the boundaries, and adds the results to `tally`. Returns the coverage. Checks nothing if the store needs
    /// FUSE and it is not available.
    package mutating func check(_ tally: inout RunTally) throws -> RunResult.Boundaries {
        var explore = ExploreScenario()
        explore.budget?.seconds = tally.findings.isEmpty ? Self.mostSeconds : Self.mostSecondsAfterFinding
        request.scenario = explore
        if request.needs.contains(.fuse), let obstacle = MountTrial.run() {
            return notChecked(.noMount(obstacle))
        }
        var run = ExploreRun(explore, request, context, program: program)
        run.savesProgress = false
        let outcome = Result { try run.run() }
        tally.addBoundaries(run.tally)
        if case .failure(RecordingError.noKillStates(let files)) = outcome {
            return notChecked(.mappedFiles(files))
        }
        try outcome.get()
        return RunResult.Boundaries(
            operations: Int(clamping: request.operationCount), states: run.tally.counts.checked,
            explored: run.tally.coverage.map(RunResult.Explored.init))
    }

    private func notChecked(_ obstacle: Obstacle) -> RunResult.Boundaries {
        RunResult.Boundaries(operations: 0, states: 0, obstacle: context.wording.words(for: obstacle))
    }
}

extension RunTally {
    /// Adds the results of `KillBoundaries`. A finding with a timeline replaces a live finding of the same check with
    /// the same error.
    mutating func addBoundaries(_ other: RunTally) {
        counts.decided += other.counts.decided
        counts.checked += other.counts.checked
        mutations += other.mutations
        detected += other.detected
        unconfirmed += other.unconfirmed
        detectedChecks.formUnion(other.detectedChecks)
        undetected.formUnion(other.undetected)
        unjudged.formUnion(other.unjudged)
        notMinimised.merge(other.notMinimised, uniquingKeysWith: +)
        attributed.merge(other.attributed, uniquingKeysWith: +)
        unstable += other.unstable
        for finding in other.findings {
            guard let live = findings.firstIndex(where: { $0.isLiveForm(of: finding) }) else {
                findings.append(finding)
                continue
            }
            var finding = finding
            finding.states += findings[live].states
            findings[live] = finding
        }
    }
}

extension Finding {
    /// Whether this is a live finding of the same violation.
    fileprivate func isLiveForm(of finding: Finding) -> Bool {
        account == nil && check == finding.check && cause?.hasAcknowledged == finding.cause?.hasAcknowledged
            && (errors ?? []).allSatisfy { error in finding.errors?.contains { $0.pattern == error.pattern } == true }
    }
}
