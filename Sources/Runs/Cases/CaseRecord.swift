import Bytes
import Exploration
import Foundation
import Machine
import Model
import Storage

/// What `case.json` says: everything that a replay needs beside the trace and the oracle that lie next to it.
package struct CaseRecord: Codable, Sendable {
    /// The version of this format.
    package static let currentVersion = 1

    package var version = CaseRecord.currentVersion
    package var target: String
    /// The name of the file in the case that keeps the target's manifest as it was; nil for a target that comes with
    /// Faultline.
    package var manifest: String?
    /// Where that manifest lies on the machine that made the case; nil in an archive, which names no place.
    package var manifestPath: String?
    package var configuration: [String: String]
    package var contract: String
    package var scenario: ScenarioName
    package var seed: UInt64
    /// The strongest profile that leaves this state.
    package var profile: Profile
    /// How many events of the trace had happened.
    package var crashPoint: Int
    /// The atoms that this state lacks, as `LostAtoms` prints them.
    package var lost: String
    package var check: CaseCheck
    package var story: String
    /// Of a crash during recovery: the crash before it, in words. The trace is then the recovery's.
    package var firstCrash: String?
    /// Of a store that takes no write after recovery: the profile under which the power went once more after that write.
    package var probing: Profile?
    /// The run that found it, to be done again by `recheck`; nil in a case of an older version.
    package var run: RunPlan?
    /// What was lost, as patterns.
    package var lossKinds: [String]?
    /// Why the state fails, as facts; nil in a case of an older version.
    package var cause: Cause?
    /// The files that the store writes through shared mappings, where the run knew of any: the beginning of its trace that
    /// the case keeps may not show it.
    package var mappedFiles: [String]?
    /// Of a state that showed different things: which two looks at it.
    package var unstable: Contradiction.Kind?
    /// Nothing was recorded: the case holds the files as they were found. Nil in a case of an older version.
    package var isImageAlone: Bool?
    /// Of a state of a block device: what lies on it.
    package var block: BlockSetup?
    /// Where `confirm` looked for it below real filesystems, and what it saw.
    package var confirmed: [Confirmation]?
    /// The states beside it, and what their recoveries showed; nil where none was recovered.
    package var neighbours: [Neighbour]?
    /// Of a state that no crash left, after a fault: how it was looked at.
    package var look: CrashStory.FaultLook?
    /// Of what a live store alone showed: the run to be done again, instead of a state to be recovered.
    package var live: LiveRun?

    package static let fileName: ByteString = "case.json"
    package static let traceName: ByteString = "trace"
    package static let oracleName: ByteString = "oracle.jsonl"
    /// What the store showed when the life that the trace records began, as a recover command prints it; only there
    /// when that life was not the first.
    package static let shownName: ByteString = "shown.jsonl"
    /// The manifest of a target that does not come with Faultline, to be read.
    package static let manifestName: ByteString = "target.yaml"
    package static let imageName: ByteString = "image"
    /// The faults that were injected, a line each; not every case has any.
    package static let faultsName: ByteString = "faults"
    /// Of a state that showed different things: what each of two looks showed, as a recover command prints it.
    package static let observedNames: [ByteString] = ["observed-1.jsonl", "observed-2.jsonl"]

    /// Reads the case in `directory`.
    package init(directory: ByteString) throws(CaseError) {
        let path = directory.appending(component: CaseRecord.fileName)
        let bytes: [UInt8]
        switch SmallFile.read(path) {
        case .success(let content): bytes = content
        case .failure(.missing): throw .missing(path)
        case .failure(let problem): throw .unreadable(path, reason: problem.description)
        }
        do {
            self = try JSONDecoder().decode(CaseRecord.self, from: Data(bytes))
        } catch {
            throw .unreadable(path, reason: JSONText.words(error))
        }
        guard version == CaseRecord.currentVersion else { throw .unknownVersion(path, version) }
    }

    package init(
        target: String, manifest: String?, configuration: [String: String], contract: String, scenario: ScenarioName,
        seed: UInt64, profile: Profile, crashPoint: Int, lost: String, check: CaseCheck, story: String
    ) {
        self.target = target
        self.manifest = manifest
        self.configuration = configuration
        self.contract = contract
        self.scenario = scenario
        self.seed = seed
        self.profile = profile
        self.crashPoint = crashPoint
        self.lost = lost
        self.check = check
        self.story = story
    }

    package init(
        target: String, manifest: String? = nil, configuration: [String: String], contract: String,
        scenario: ScenarioName, seed: UInt64, state: CrashState, check: CaseCheck, story: String
    ) {
        self.init(
            target: target, manifest: manifest, configuration: configuration, contract: contract, scenario: scenario,
            seed: seed, profile: state.profile, crashPoint: state.crashPoint, lost: state.lost.description,
            check: check, story: story)
    }

    /// Scenarios whose cases held no trace before cases said so themselves.
    private static let olderScenariosWithoutTrace: Set = ["kill", "smoke"]

    /// The case holds a trace, from which its state is derived; otherwise its image is the state.
    package var hasTrace: Bool {
        !(isImageAlone ?? Self.olderScenariosWithoutTrace.contains(scenario.rawValue))
    }

    /// Notes what the beginning of the trace that a case keeps may not show.
    package mutating func note(_ recording: Recording) {
        mappedFiles = recording.mappedFiles.isEmpty ? nil : recording.mappedFiles
    }

    /// The trace of the case in `directory`, which must be whole.
    package func recording(in directory: ByteString, _ memory: MemoryGuard) throws -> Recording {
        let trace = directory.appending(component: CaseRecord.traceName)
        try RunFiles.refuseLink(trace)
        var recording = try Recording(tracePath: trace, memory)
        try requireWhole(recording.ending, in: directory)
        recording.addMappedFiles(mappedFiles ?? [])
        recording.sectorBytes = block?.sectorBytes
        return recording
    }

    /// The faults that were injected into the run of the case in `directory`.
    package func faults(in directory: ByteString) throws(CaseError) -> [InjectedFault] {
        let path = directory.appending(component: CaseRecord.faultsName)
        guard let text = SmallFile.contents(of: path) else { return [] }
        do throws(RuleError) {
            return try ScriptedFaults(parsing: ByteString(text)).faults
        } catch {
            throw .unreadable(path, reason: error.description)
        }
    }

    /// Throws if the trace of the case in `directory` cannot be read to its end: for what takes a case without
    /// deriving a state of its trace. A case of a killed process has none.
    package func checkTrace(in directory: ByteString) throws {
        guard hasTrace else { return }
        let trace = directory.appending(component: CaseRecord.traceName)
        try RunFiles.refuseLink(trace)
        var cursor = try TraceReader(path: trace).cursor()
        while try cursor.next() != nil {}
        try requireWhole(cursor.ending, in: directory)
    }

    /// The trace of a case was written to its end: of one that is cut off nobody knows what is missing.
    private func requireWhole(_ ending: TraceEnding, in directory: ByteString) throws(CaseError) {
        guard ending == .whole else { throw .inconsistent(directory, reason: "its trace is \(ending)") }
    }

    package func write(to directory: ByteString) throws {
        try OutputFile.create(directory.appending(component: CaseRecord.fileName), try encoded())
    }

    /// The text of the file.
    package func encoded() throws -> [UInt8] {
        try JSONText.bytes(of: self, .object)
    }
}

/// Why a case cannot be replayed.
package enum CaseError: Error, Hashable, Sendable {
    case missing(ByteString)
    case unreadable(ByteString, reason: String)
    case unknownVersion(ByteString, Int)
    case unknownValue(ByteString, field: String, value: String)
    /// Its target does not come with Faultline, and nobody said which one is meant here.
    case targetNotGiven(ByteString, target: String, place: ByteString?, commands: [String])
    /// The manifest that came with it is to be trusted, and what it names lies beside another manifest.
    case relativeCommand(ByteString, target: String, word: ByteString)
    case otherTarget(ByteString, target: String, given: String)
    /// It is no crash that can be made smaller.
    case notMinimised(ByteString, reason: String)
    /// Its state is a disk image that this machine's kernel would mount, and nobody said that its maker is trusted.
    case diskImageNotTrusted(ByteString)
    /// The files of the case do not belong together, or some of one is missing.
    case inconsistent(ByteString, reason: String)
}

extension CaseError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let path): "\(path) is not there: a case is a directory that holds it"
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .unknownVersion(let path, let version):
            "\(path) is of version \(version); this faultline reads version \(CaseRecord.currentVersion)"
        case .inconsistent(let directory, let reason): "\(directory): the case is damaged: \(reason)"
        case .diskImageNotTrusted(let directory):
            "\(directory) is a disk image, and a damaged one can do harm to the kernel that mounts it: --trust mounts it, if "
                + "you trust who made it"
        case .notMinimised(let directory, let reason): "\(directory) cannot be made smaller: \(reason)"
        case .relativeCommand(let path, let target, let word):
            "\(path) is of the target \(target), whose command names \(word) beside its manifest, and that is not here: "
                + "name the manifest where it lies with --target PATH"
        case .targetNotGiven(let path, let target, let place, let commands):
            "\(path) is of the target \(target), which does not come with Faultline. Name its manifest with "
                + (place.map { "--target \(ReproduceScript.quoted($0.shown))" } ?? "--target PATH")
                + ", or run what the case's own \(CaseRecord.manifestName) says with --trust, if you trust who made it: "
                + (commands.isEmpty ? "it is no manifest that can be read" : commands.joined(separator: "; "))
        case .otherTarget(let path, let target, let given):
            "\(path) is of the target \(target); the manifest given describes \(given)"
        case .unknownValue(let path, let field, let value): "\(path): \(field) cannot be '\(value)'"
        }
    }
}
