import Exploration
import Machine
import Model
import Runs

/// The part of `kill` that needs no luck: one run is recorded, and the files are checked as a kill would have left them
/// at each of its operations (`explore --profile kill`).
///
/// A live kill finds the store where it spends its time; a bug between two quick operations is found here. Stores in
/// other processes need FUSE for it.
struct KillBoundaries {
    /// A run of so many operations at most, for so long at most: the live kills are what a long run is for.
    static let mostOperations: UInt64 = 200
    static let mostSeconds = 30
    /// The same where a live kill has found something already.
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

    /// Adds what was seen to `tally`, and answers how far it went. Without FUSE nothing is done.
    package mutating func check(_ tally: inout RunTally) throws -> RunResult.Boundaries {
        var explore = ExploreScenario()
        explore.budget?.seconds = tally.findings.isEmpty ? Self.mostSeconds : Self.mostSecondsAfterFinding
        request.scenario = explore
        if request.needs.contains(.fuse), let obstacle = MountTrial.run() {
            return notChecked(.noMount(obstacle))
        }
        var run = ExploreRun(explore, request, context, program: program)
        run.leavesProgress = false
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
    /// What was seen at the boundaries of operations. A finding with a timeline takes the place of a live one that broke
    /// the same check and said the same.
    mutating func addBoundaries(_ other: RunTally) {
        counts.decided += other.counts.decided
        counts.checked += other.counts.checked
        mutations += other.mutations
        flagged += other.flagged
        unconfirmed += other.unconfirmed
        flaggedChecks.formUnion(other.flaggedChecks)
        unflagged.formUnion(other.unflagged)
        unjudged.formUnion(other.unjudged)
        notMinimised.merge(other.notMinimised, uniquingKeysWith: +)
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
    /// Whether it is what a live kill showed of the same.
    fileprivate func isLiveForm(of finding: Finding) -> Bool {
        account == nil && check == finding.check && cause?.hasAcknowledged == finding.cause?.hasAcknowledged
            && (errors ?? []).allSatisfy { error in finding.errors?.contains { $0.pattern == error.pattern } == true }
    }
}
