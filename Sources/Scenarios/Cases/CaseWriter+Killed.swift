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
        try write(
            found: image, by: .kill, .kill, request.contract, cause, fact, oracle: oracle, shown: shown)
    }

    /// Writes a case of files as they were found after a failure, without a trace.
    ///
    /// - Parameters:
    ///   - image: the store's directory; it is copied.
    ///   - contract: what it was held to.
    ///   - oracle: what had been promised until then.
    package func write(
        found image: ByteString, by scenario: ScenarioName, _ profile: Profile, _ contract: Contract, _ cause: Cause,
        _ fact: FindingFact, oracle: OraclePrefix, shown: Observation?
    ) throws -> Finding {
        let target = request.target
        let story = context.wording.words(for: fact)
        var record = CaseRecord(
            target: target.target.name, manifest: manifestName, configuration: target.configurationByName,
            contract: contract.name, scenario: scenario, seed: request.seed, profile: profile, crashPoint: 0, lost: "",
            check: .check(cause.check), story: story)
        record.cause = cause
        record.isImageAlone = true
        record.manifestPath = manifestPath
        record.run = RunPlan(of: request)
        var finding = Finding(
            check: cause.check, strongestProfile: .profile(profile), lost: [], story: story, states: 1)
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
