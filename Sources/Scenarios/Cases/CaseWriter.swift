import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Storage
import Targets

/// Writes cases of failing crashes: directories with the trace, the oracle, the crash image and a replay script.
package struct CaseWriter {
    package let request: RunRequest
    package let context: RunContext
    /// The name of this program in commands.
    package let program: String
    /// The profile of the second power cut, after a write to the recovered store; nil if there is none.
    package var probing: Profile?
    /// The steps of the small workload before the crash; empty for any other workload.
    package var steps: [String] = []

    /// Writes a case and returns the finding that points to it.
    ///
    /// - Parameter hangSeconds: the timeout that each hanging state costs, if hangs ended the search; otherwise nil.
    package func write(
        _ cause: FoundCause, _ recording: Recording, oracle: OraclePrefix,
        shown: Observation?, after firstCrash: FirstCrash? = nil, hangSeconds: Int? = nil
    ) throws -> Finding {
        let wording = context.wording
        var account = try wording.story(of: cause.failingState(in: recording))
        account.firstCrash = firstCrash.map { wording.words(for: $0) }
        if let fix = cause.fix { account.reasons.append(wording.words(for: fix)) }
        let story = wording.words(
            for: .crash(
                CrashFact(
                    eventCount: cause.state.crashPoint, lost: cause.losses.descriptions, cause.violation,
                    firstCrash: firstCrash, steps: steps, isCutShort: cause.isCutShort, hangSeconds: hangSeconds)))
        let target = request.target
        var record = CaseRecord(
            target: target.target.name,
            manifest: manifestName,
            configuration: target.configurationByName, contract: request.contract.name,
            scenario: request.scenario.name, seed: request.seed, state: cause.state,
            check: .check(cause.cause.check),
            story: story)
        record.manifestPath = manifestPath
        record.run = RunPlan(of: request)
        (record.lossKinds, record.cause) = (cause.cause.losses.map(\.description), cause.cause)
        record.neighbours = cause.neighbours.isEmpty ? nil : cause.neighbours
        record.fix = cause.fix
        record.firstCrash = account.firstCrash
        record.block = request.scenario.block
        record.note(recording)
        if cause.cause.check == .writable { record.probing = probing }
        var finding = Finding(
            check: cause.cause.check, strongestProfile: .profile(cause.state.profile), lost: cause.losses.descriptions,
            story: story, states: cause.stateCount, lossKinds: cause.cause.losses.map(\.description),
            account: account, isCutShort: cause.isCutShort ? true : nil)
        finding.storeCheck = cause.violation.storeCheck
        finding.fix = cause.fix
        makeCase(of: &finding) { directory in
            try Self.write(cause.state, of: recording, oracle: oracle, shown: shown?.encoded, to: directory)
            try record.write(to: directory)
            try writeScripts(to: directory)
        }
        return finding
    }

    /// Makes the case of a finding and sets its path in the finding. If the case cannot be written, to a full disk for
    /// example, the finding is kept and `caseProblem` has the error.
    package func makeCase(of finding: inout Finding, _ fill: (_ directory: ByteString) throws -> Void) {
        do {
            let directory = try context.makeCase { directory, _ in try fill(directory) }
            finding.case = directory.shown
            finding.replay = command("replay", directory)
            finding.recheck = command("recheck", directory)
        } catch {
            finding.caseProblem = "\(error)"
        }
    }

    /// Writes the trace, the oracle, the earlier observation and the crash image.
    package static func write(
        _ state: CrashState, of recording: Recording, oracle: OraclePrefix, shown: [UInt8]?, to directory: ByteString
    ) throws {
        // The case does not need the events after the crash.
        try recording.write(firstEvents: state.crashPoint, to: directory.appending(component: CaseRecord.traceName))
        try oracle.copy(to: directory.appending(component: CaseRecord.oracleName))
        if let shown { try OutputFile.create(directory.appending(component: CaseRecord.shownName), shown) }
        try CaseImage.write(state.tree, payloads: recording.payloads, to: directory)
    }

    /// The file name of the manifest's copy in the case; nil if the target has no manifest.
    package var manifestName: String? {
        request.target.target.manifest.map { _ in CaseRecord.manifestName.description }
    }

    package var manifestPath: String? { request.target.target.manifest?.path.shown }

    /// Writes a copy of the manifest, for reading, and the replay script.
    package func writeScripts(to directory: ByteString) throws {
        try Self.writeScripts(of: request.target.target.manifest, to: directory)
    }

    package static func writeScripts(of manifest: Target.ManifestFile?, to directory: ByteString) throws {
        if let manifest {
            try OutputFile.create(directory.appending(component: CaseRecord.manifestName), manifest.text)
        }
        let script = directory.appending(component: "reproduce.sh")
        try OutputFile.create(
            script, try ReproduceScript.replayingItsDirectory(target: manifest?.path), permissions: 0o700)
    }

    /// The command that replays the case in `directory` (`replay`) or repeats its run (`recheck`).
    package func command(_ name: String, _ directory: ByteString) -> String {
        var words = [program, name, directory.shown]
        if name == "replay", request.scenario.block != nil { words.append("--trust") }
        if let manifest = request.target.target.manifest { words += ["--target", manifest.path.shown] }
        return words.map { ReproduceScript.quoted($0) }.joined(separator: " ")
    }
}
