import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Storage

extension CaseWriter {
    /// Writes a case of a store that met a fault.
    ///
    /// What storage held is derived from the trace, so that a replay needs no fault. What was seen in a live store alone
    /// has to be done again: the case then holds what was recorded, the files as they were left, and the run.
    func write(
        _ objection: FaultJudge.Objection, of outcome: FaultTrial.Outcome, files: FaultTrial, family: String,
        rules: String, doneAgainBy again: RunRequest
    ) throws -> Finding {
        let directory = try context.makeCase()
        try outcome.recording.write(
            firstEvents: objection.state?.state.crashPoint ?? outcome.recording.events.count,
            to: directory.appending(component: CaseRecord.traceName))
        let lineCount = objection.state?.state.oracleLineCount ?? outcome.history.lineCount
        try RunFiles.append(
            outcome.history.text(firstLines: lineCount), to: directory.appending(component: CaseRecord.oracleName))
        let script = outcome.faults.map { "\($0)\n" }.joined()
        try RunFiles.append(Array(script.utf8), to: directory.appending(component: "faults"))
        let image = directory.appending(component: CaseRecord.imageName)
        let hits = outcome.faults.prefix(3).map { fault in
            // A question (a read) leaves no trace, and has no number there.
            let isQuestion = fault.operation.rawValue >> 63 == 1
            let number = isQuestion ? "" : "op \(fault.operation.rawValue) "
            return number + "\(fault.kind.name) \(fault.path) -> \(fault.fault)"
        }
        let more = outcome.faults.count > 3 ? " and \(outcome.faults.count - 3) more" : ""
        let story =
            "\(rules) [\(hits.joined(separator: "; "))\(more)]; the workload \(outcome.first.termination); "
            + objection.text
        var finding = Finding(
            check: objection.check.rawValue, strongestProfile: "none", lost: [], story: story, states: 1,
            case: directory.shown, lossKinds: [family])
        var record = CaseRecord(
            target: request.target.target.name, manifest: manifestName,
            configuration: request.target.configurationByName, contract: request.contract.name,
            scenario: request.scenario.rawValue, seed: request.seed, profile: request.profile.rawValue,
            crashPoint: outcome.recording.events.count, lost: "", check: objection.check.rawValue, story: story)
        record.manifestPath = manifestPath
        record.run = RunPlan(of: again)
        record.lossKinds = [family]
        record.note(outcome.recording)
        if let (state, contract) = objection.state {
            try RunFiles.makeDirectory(image)
            try TreeMaterialiser(payloads: outcome.recording.payloads).materialise(state.tree, into: image)
            record.contract = contract.name
            (record.profile, record.crashPoint) = (state.profile.rawValue, state.crashPoint)
            record.lost = state.lost.description
        } else {
            try FileManager.default.copyItem(atPath: files.backing.shown, toPath: image.shown)
            record.live = LiveRun(of: again)
        }
        try record.write(to: directory)
        try writeScripts(to: directory)
        finding.replay = command("replay", directory)
        finding.recheck = command("recheck", directory)
        return finding
    }
}
