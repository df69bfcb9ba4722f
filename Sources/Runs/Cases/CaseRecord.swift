import Bytes
import Exploration
import Foundation
import Machine
import Model
import Storage

/// The content of `case.json`: everything that a replay needs besides the trace and oracle files next to it.
package struct CaseRecord: Codable, Sendable {
    /// The version of this format.
    package static let currentVersion = 1

    package var version = CaseRecord.currentVersion
    package var target: String
    /// The file in the case that holds a copy of the target's manifest; nil for a target that ships with Faultline.
    package var manifest: String?
    /// The path of the original manifest on the machine that made the case; nil in an archive, which contains no paths.
    package var manifestPath: String?
    package var configuration: [String: String]
    package var contract: String
    package var scenario: ScenarioName
    package var seed: UInt64
    /// The strongest profile that allows this state.
    package var profile: Profile
    /// The number of trace events before the crash.
    package var crashPoint: Int
    /// The atoms that this state lacks, as `LostAtoms` prints them.
    package var lost: String
    package var check: CaseCheck
    package var story: String
    /// For a crash during recovery, the description of the first crash. The trace is then that of the recovery.
    package var firstCrash: String?
    /// For a failed write after recovery, the profile of the second power cut, after that write.
    package var probing: Profile?
    /// The plan of the run that found the case, for `recheck`; nil in a case from an older version.
    package var run: RunPlan?
    /// Patterns of the lost writes.
    package var lossKinds: [String]?
    /// Why the state fails; nil in a case from an older version.
    package var cause: Cause?
    /// Files that the store writes through shared mappings, if the run knew of any. The trace prefix in the case may
    /// not show the mappings.
    package var mappedFiles: [String]?
    /// For an unstable state, which two observations contradict each other.
    package var unstable: Contradiction.Kind?
    /// Whether the case holds only the files as found, without a trace. Nil in a case from an older version.
    package var isImageAlone: Bool?
    /// For a block device state, its filesystem and device settings.
    package var block: BlockSetup?
    /// The results of `confirm` on real filesystems.
    package var confirmed: [Confirmation]?
    /// Neighbouring states and their recovery results; nil if none was recovered.
    package var neighbours: [Neighbour]?
    /// The missing syncs, or why none would help; nil if they were not searched for.
    package var fix: BarrierFix?
    /// For a state observed after a fault without a crash, how it was observed.
    package var look: CrashStory.ObservationMode?
    /// For a finding in a live store, the run to repeat: there is no state to recover.
    package var live: LiveRun?

    package static let fileName: ByteString = "case.json"
    package static let traceName: ByteString = "trace"
    package static let oracleName: ByteString = "oracle.jsonl"
    /// The recover command's output at the start of the recorded life; present only if that life was not the first.
    package static let shownName: ByteString = "shown.jsonl"
    /// A copy of the manifest of a target that does not ship with Faultline.
    package static let manifestName: ByteString = "target.yaml"
    package static let imageName: ByteString = "image"
    /// The injected faults, one a line; optional.
    package static let faultsName: ByteString = "faults"
    /// For an unstable state, the two contradicting observations in the recover command's output format.
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

    /// Scenarios whose cases have no trace, for cases written before `isImageAlone` existed.
    private static let olderScenariosWithoutTrace: Set = ["kill", "smoke"]

    /// Whether the case has a trace, from which its state is derived. Otherwise its image is the state.
    package var hasTrace: Bool {
        !(isImageAlone ?? Self.olderScenariosWithoutTrace.contains(scenario.rawValue))
    }

    /// Saves the mapped files of `recording`: the trace prefix in the case may not show them.
    package mutating func note(_ recording: Recording) {
        mappedFiles = recording.mappedFiles.isEmpty ? nil : recording.mappedFiles
    }

    /// Reads the trace of the case in `directory`. Throws if it is incomplete.
    package func recording(in directory: ByteString, _ memory: MemoryGuard) throws -> Recording {
        let trace = directory.appending(component: CaseRecord.traceName)
        try RunFiles.refuseLink(trace)
        var recording = try Recording(tracePath: trace, memory)
        try requireWhole(recording.ending, in: directory)
        recording.addMappedFiles(mappedFiles ?? [])
        recording.sectorBytes = block?.sectorBytes
        return recording
    }

    /// Reads the injected faults of the case in `directory`; empty if it has no such file.
    package func faults(in directory: ByteString) throws(CaseError) -> [InjectedFault] {
        let path = directory.appending(component: CaseRecord.faultsName)
        guard let text = SmallFile.contents(of: path) else { return [] }
        do throws(RuleError) {
            return try ScriptedFaults(parsing: ByteString(text)).faults
        } catch {
            throw .unreadable(path, reason: error.description)
        }
    }

    /// Throws if the trace of the case in `directory` cannot be read to its end. For callers that derive no state from
    /// it. Does nothing for a case without a trace.
    package func checkTrace(in directory: ByteString) throws {
        guard hasTrace else { return }
        let trace = directory.appending(component: CaseRecord.traceName)
        try RunFiles.refuseLink(trace)
        var cursor = try TraceReader(path: trace).cursor()
        while try cursor.next() != nil {}
        try requireWhole(cursor.ending, in: directory)
    }

    /// Throws unless the trace was written to its end: in a truncated one, any events may be missing.
    private func requireWhole(_ ending: TraceEnding, in directory: ByteString) throws(CaseError) {
        guard ending == .whole else { throw .inconsistent(directory, reason: "its trace is \(ending)") }
    }

    package func write(to directory: ByteString) throws {
        try OutputFile.create(directory.appending(component: CaseRecord.fileName), try encoded())
    }

    /// The encoded content of the file.
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
    /// The target does not ship with Faultline, and no manifest was given.
    case targetNotGiven(ByteString, target: String, place: ByteString?, commands: [String])
    /// The trusted manifest in the case names a relative command that does not exist here.
    case relativeCommand(ByteString, target: String, word: ByteString)
    case otherTarget(ByteString, target: String, given: String)
    /// The case cannot be minimised.
    case notMinimised(ByteString, reason: String)
    /// The state is a disk image for the kernel to mount, and --trust was not given.
    case diskImageNotTrusted(ByteString)
    /// The files of the case contradict each other, or one is incomplete.
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
