import Bytes
import Exploration
import Model
import Oracle
import Storage
import Synchronization

@testable import Machine

/// A store of a test: its run is what a closure does to storage in memory, and what a crash state shows is a function of
/// its files.
struct ScriptedStore {
    let recording: Recording
    private let oracle: [UInt8]

    /// - Parameter work: does the store's work, and says what it asks for and acknowledges.
    init(_ work: (RecordingStorage, (OracleLine) -> Void) throws -> Void) throws {
        let recorder = try RecordingStorage(MemoryStorage())
        var oracle: [UInt8] = []
        try work(recorder) { line in
            oracle += line.encoded
            recorder.record(oracle: Array(line.encoded.dropLast()))
        }
        recording = Recording(base: recorder.base, events: recorder.events, payloads: recorder.payloads)
        self.oracle = oracle
    }

    /// Which look at a state this is.
    struct Look {
        var inFreshProcess: Bool
        /// From 1, over all states.
        var number: Int
    }

    typealias Files = [ByteString: [UInt8]]

    /// The exploration of the run, or of `recording` instead, not yet begun.
    func explorer(
        _ profile: Profile = .ext4Ordered, of recording: Recording? = nil, contract: Contract = .durable,
        limits: ExplorationLimits = ExplorationLimits(),
        isOver: @escaping @Sendable () -> Bool = { false },
        showing shows: @escaping @Sendable (Files, Look) -> Recovery
    ) throws -> Explorer {
        let recording = recording ?? self.recording
        let recovery = ScriptedRecovery(payloads: recording.payloads, looks: Looks(), shows: shows)
        return try explorer(profile, of: recording, contract, limits, isOver, recovery)
    }

    /// The same with a recovery that changes the store's files, and that can be crashed, too.
    func explorer(
        _ profile: Profile, of recording: Recording, limits: ExplorationLimits,
        recovering recover: @escaping @Sendable (any Storage) throws -> Recovery
    ) throws -> Explorer {
        let recovery = WritingRecovery(payloads: recording.payloads, run: recover)
        return try explorer(profile, of: recording, .durable, limits, { false }, recovery)
    }

    /// The same with a recovery whose reads are noted, unless it reads `unnoted`, which has the same files.
    ///
    /// - Parameter tells: false if what it reads cannot be seen.
    func explorer(
        _ profile: Profile, limits: ExplorationLimits = ExplorationLimits(), tells: Bool = true,
        isOver: @escaping @Sendable () -> Bool = { false },
        noting recover: @escaping @Sendable (_ storage: any Storage, _ unnoted: any Storage) throws -> Recovery
    ) throws -> Explorer {
        let recovery = NotingRecovery(payloads: recording.payloads, tells: tells, run: recover)
        return try explorer(profile, of: recording, .durable, limits, isOver, recovery)
    }

    private func explorer(
        _ profile: Profile, of recording: Recording, _ contract: Contract, _ limits: ExplorationLimits,
        _ isOver: @escaping @Sendable () -> Bool, _ recovery: any StateRecoverer
    ) throws -> Explorer {
        var validator = Validator(.everything)
        var reader = OracleReader()
        try reader.read(oracle.span) { line, number throws(OracleError) in try validator.apply(line, at: number) }
        return try Explorer(
            recording, profile: profile, limits: limits, seed: 1, recovery: recovery, confirming: recovery,
            judge: EvidenceJudge(validator, contract), workers: 1,
            memory: MemoryBudget(limitBytes: 1 << 30, spillDirectory: ScratchSpace.temporaryDirectory()),
            isOver: isOver)
    }
}

extension Explorer {
    func runToItsEnd() throws { try run(shouldStop: { nil }, progress: { _ in }) }
}

private final class Looks: Sendable {
    private let count = Atomic<Int>(0)
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}

private struct ScriptedRecovery: StateRecoverer {
    var payloads: any PayloadStore
    var looks: Looks
    var shows: @Sendable (ScriptedStore.Files, ScriptedStore.Look) -> Recovery

    func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        let files = try MemoryStorage(tree, payloads: payloads).contents()
        let shown = shows(files, ScriptedStore.Look(inFreshProcess: inFreshProcess, number: looks.next()))
        guard case .opened = shown else { return RecoveredState(evidence: Evidence(shown)) }
        return RecoveredState(evidence: Evidence(shown, secondRecovery: shown))
    }

    func recording(ofRecovering tree: Tree) -> Recording? { nil }

    func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        ScriptedRecovery(payloads: payloads, looks: looks, shows: shows)
    }
}

/// A recovery that works on the files of the state.
private struct WritingRecovery: StateRecoverer {
    var payloads: any PayloadStore
    var run: @Sendable (any Storage) throws -> Recovery

    func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        let storage = try MemoryStorage(tree, payloads: payloads)
        let first = try run(storage)
        return RecoveredState(evidence: Evidence(first, secondRecovery: try run(storage)))
    }

    func recording(ofRecovering tree: Tree) throws -> Recording? {
        let storage = try RecordingStorage(MemoryStorage(tree, payloads: payloads))
        _ = try run(storage)
        return Recording(base: storage.base, events: storage.events, payloads: storage.payloads)
    }

    func reading(_ payloads: any PayloadStore) -> any StateRecoverer { WritingRecovery(payloads: payloads, run: run) }
}

/// A recovery that works on the files of the state, and tells what it reads of them.
private struct NotingRecovery: StateRecoverer {
    var payloads: any PayloadStore
    var tells: Bool
    var run: @Sendable (any Storage, any Storage) throws -> Recovery

    var notesReads: Bool { true }

    func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        try recoverNotingReads(tree)
    }

    func recoverNotingReads(_ tree: Tree) throws -> RecoveredState {
        let recorder = ReadRecorder()
        let storage = try MemoryStorage(tree, payloads: payloads, sharing: FileImages(), noting: recorder)
        let unnoted = try MemoryStorage(tree, payloads: payloads)
        let first = try run(storage, unnoted)
        let second = try run(storage, unnoted)
        return RecoveredState(evidence: Evidence(first, secondRecovery: second), reads: tells ? recorder.reads : nil)
    }

    func recording(ofRecovering tree: Tree) -> Recording? { nil }

    func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        NotingRecovery(payloads: payloads, tells: tells, run: run)
    }
}
