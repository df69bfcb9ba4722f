import Bytes
import Exploration
import Model
import Oracle
import Runs
import Storage
import Targets

extension CaseWriter {
    /// Writes a case of a killed process: it has the files as the kill left them, without a trace.
    ///
    /// - Parameter image: the store's directory as the kill left it; it is copied.
    package func write(
        killed image: ByteString, _ cause: Cause, _ fact: FindingFact, oracle: OraclePrefix, shown: Observation?
    ) throws -> Finding {
        let target = request.target
        let story = context.wording.words(for: fact)
        var record = CaseRecord(
            target: target.target.name, manifest: manifestName, configuration: target.configurationByName,
            contract: request.contract.name, scenario: .kill, seed: request.seed,
            profile: .kill, crashPoint: 0, lost: "", check: .check(cause.check), story: story)
        record.cause = cause
        record.isImageAlone = true
        record.manifestPath = manifestPath
        record.run = RunPlan(of: request)
        var finding = Finding(
            check: cause.check, strongestProfile: .profile(.kill), lost: [], story: story, states: 1)
        makeCase(of: &finding) { directory in
            try oracle.copy(to: directory.appending(component: CaseRecord.oracleName))
            if let shown {
                try OutputFile.create(directory.appending(component: CaseRecord.shownName), shown.encoded)
            }
            try TreeCopy.copy(image, to: directory.appending(component: CaseRecord.imageName))
            try record.write(to: directory)
            try writeScripts(to: directory)
        }
        return finding
    }
}
