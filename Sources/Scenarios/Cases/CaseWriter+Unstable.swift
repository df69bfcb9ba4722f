import Bytes
import Exploration
import Model
import Oracle
import Runs
import Storage

extension CaseWriter {
    /// Writes a case of a state whose recoveries differ, with two of them: `observed-1.jsonl`, `observed-2.jsonl`.
    package func write(
        _ contradiction: Contradiction, _ recording: Recording, oracle: OraclePrefix, shown: Observation?,
        after firstCrash: FirstCrash? = nil
    ) throws -> UnstableState {
        let state = contradiction.state
        let target = request.target
        var record = CaseRecord(
            target: target.target.name, manifest: manifestName, configuration: target.configurationByName,
            contract: request.contract.name, scenario: request.scenario.name, seed: request.seed, state: state,
            check: .stability, story: context.wording.words(for: .unstable))
        record.manifestPath = manifestPath
        record.firstCrash = firstCrash.map { context.wording.words(for: $0) }
        record.unstable = contradiction.kind
        let observations = zip(CaseRecord.observedNames, [contradiction.first, contradiction.second])
        var unstable = UnstableState(contradiction, lost: try recording.losses(of: state).descriptions)
        do {
            let directory = try context.makeCase { directory, _ in
                try Self.write(state, of: recording, oracle: oracle, shown: shown?.encoded, to: directory)
                for (name, evidence) in observations {
                    try OutputFile.create(directory.appending(component: name), evidence.encoded)
                }
                try record.write(to: directory)
                try writeScripts(to: directory)
            }
            (unstable.case, unstable.replay) = (directory.shown, command("replay", directory))
        } catch {
            unstable.caseProblem = "\(error)"
        }
        return unstable
    }
}

extension Evidence {
    /// The dumps of its recoveries, as a recover command prints them.
    fileprivate var encoded: [UInt8] {
        [recovery, secondRecovery].compactMap(\.self).flatMap { recovery -> [UInt8] in
            switch recovery {
            case .opened(let observation): observation.encoded
            case .failed, .hung, .filesystemBroken: DumpLine.error(recovery.failure ?? "").encoded
            }
        }
    }
}
