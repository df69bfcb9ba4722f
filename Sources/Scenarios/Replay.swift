import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Storage
import Targets

/// Does a case again: derives its crash state from its trace, recovers it, and judges it by its oracle.
package struct Replay: Sendable {
    package var directory: ByteString
    package var record: CaseRecord
    package var target: ConfiguredTarget
    package var profile: Profile
    package var contract: Contract
    package var lost: LostAtoms

    /// What came of it.
    package struct Outcome: Sendable {
        package var state: CrashState
        package var loss: LossStory
        package var judgement: Judgement
    }

    /// Reads the case in `directory`. Only targets that are known here are run.
    package init(directory: ByteString, targets: BuiltInTargets) throws {
        self.directory = directory
        record = try CaseRecord(directory: directory)
        let path = directory.appending(component: CaseRecord.fileName)
        let settings = record.configuration.map { Setting(name: $0.key, value: $0.value) }
        target = try targets.target(named: record.target).configured(settings)
        guard let profile = Profile(rawValue: record.profile) else {
            throw CaseError.unknownValue(path, field: "profile", value: record.profile)
        }
        guard let contract = Contract(named: record.contract) else {
            throw CaseError.unknownValue(path, field: "contract", value: record.contract)
        }
        self.profile = profile
        self.contract = contract
        lost = try LostAtoms(parsing: record.lost)
    }

    /// Recovers the state in a directory beneath `scratch`.
    package func run(scratch: ByteString) throws -> Outcome {
        let recording = try Recording(tracePath: directory.appending(component: CaseRecord.traceName))
        let state = try recording.state(profile, at: record.crashPoint, .losing(lost))
        var history = OracleHistory()
        try history.append(try RunFiles.read(directory.appending(component: CaseRecord.oracleName)))
        let client = RecoverClient(target)
        defer { try? client.close() }
        let checker = StateChecker(
            recording, client: client, validator: history.validator, contract: contract,
            linesBefore: history.lineCount - state.oracleLineCount, scratch: scratch)
        return Outcome(state: state, loss: try recording.story(of: state), judgement: try checker.confirm(state))
    }
}
