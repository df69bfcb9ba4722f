import Bytes
import Exploration
import Model
import Oracle
import Runs
import Storage

extension CaseWriter {
    /// Writes a case of a store that met a fault.
    ///
    /// A violation in a stored state is derived from the trace, so a replay needs no fault. A violation in a live store
    /// must be repeated: the case then has the recording, the files at the end and the parameters of the run.
    func write(
        _ failure: FaultJudge.Failure, _ cause: Cause, of outcome: FaultTrial.Outcome, files: FaultTrial,
        rules: [Rule], doneAgainBy again: RunRequest
    ) throws -> Finding {
        let story = context.wording.words(
            for: .faults(rules, outcome.faults, end: outcome.first.termination, failure.fact))
        var finding = Finding(
            check: failure.check, strongestProfile: .noCrash, lost: [], story: story, states: 1,
            lossKinds: cause.fault.map { [$0.rawValue] } ?? [])
        finding.account = try context.wording.story(of: failure.failingState(of: outcome))
        var record = CaseRecord(
            target: request.target.target.name, manifest: manifestName,
            configuration: request.target.configurationByName, contract: request.contract.name,
            scenario: request.scenario.name, seed: request.seed, profile: request.profile,
            crashPoint: outcome.recording.events.count, lost: "", check: .check(failure.check), story: story)
        record.manifestPath = manifestPath
        record.run = RunPlan(of: again)
        (record.lossKinds, record.cause) = (finding.lossKinds, cause)
        record.note(outcome.recording)
        record.look = failure.look
        if let (state, contract) = failure.state {
            record.contract = contract.name
            (record.profile, record.crashPoint) = (state.profile, state.crashPoint)
            record.lost = state.lost.description
        } else {
            record.live = LiveRun(of: again, rules)
        }
        makeCase(of: &finding) { directory in
            try write(failure, of: outcome, files: files, to: directory)
            try record.write(to: directory)
            try writeScripts(to: directory)
        }
        return finding
    }

    /// Writes the files with the evidence.
    private func write(
        _ failure: FaultJudge.Failure, of outcome: FaultTrial.Outcome, files: FaultTrial, to directory: ByteString
    ) throws {
        let state = failure.state?.state
        try outcome.recording.write(
            firstEvents: state?.crashPoint ?? outcome.recording.events.count,
            to: directory.appending(component: CaseRecord.traceName))
        let lineCount = state?.oracleLineCount ?? outcome.history.lineCount
        try outcome.history.text(firstLines: lineCount)
            .copy(to: directory.appending(component: CaseRecord.oracleName))
        let script = outcome.faults.map { "\($0)\n" }.joined()
        try OutputFile.create(directory.appending(component: CaseRecord.faultsName), Array(script.utf8))
        if let state {
            try CaseImage.write(state.tree, payloads: outcome.recording.payloads, to: directory)
        } else {
            try TreeCopy.copy(files.backing, to: directory.appending(component: CaseRecord.imageName))
            try CaseImage.close(in: directory)
        }
    }
}

extension LiveRun {
    package init(of request: RunRequest, _ rules: [Rule]) {
        self.init(
            rules: rules.map(\.description), operationCount: request.operationCount,
            valueBytes: request.shape.valueBytes, threadCount: request.shape.threadCount)
    }
}
