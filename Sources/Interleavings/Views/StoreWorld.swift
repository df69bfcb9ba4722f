import Bytes
import Engine
import Events
import Model
import Platform
import Schedules
import Storage

/// A store of a view that threads share, on a recorded storage in memory.
final class StoreWorld<Store: Sendable>: @unchecked Sendable {
    let recording: RecordingStorage
    let storage: ScheduledStorage
    let store: Store
    private(set) var notes: [CrashNote] = []
    /// What each thread found out: written by itself, read by the check.
    var results: [[Entry]]
    private(set) var firstEvent = 0

    init(
        threadCount: Int, rule: String? = nil, open: (ScheduledStorage) throws -> Store,
        prepare: (Store) throws -> Void
    ) throws {
        recording = try RecordingStorage(MemoryStorage())
        if let rule {
            storage = ScheduledStorage(FaultyStorage(recording, RuleSet([try Rule(parsing: rule)], seed: 1)) { _ in })
        } else {
            storage = ScheduledStorage(recording)
        }
        store = try open(storage)
        try prepare(store)
        results = Array(repeating: [], count: threadCount)
        firstEvent = recording.eventCount
    }

    /// Appends a note to the trace, as a step.
    func note(_ note: CrashNote) {
        ScheduledObject.step("\(note)", writing: [storage.trace]) {
            recording.record(oracle: Array("\(note)".utf8))
            notes.append(note)
        }
    }
}

/// Threads that share a store of a view.
struct StoreScenario<Store: Sendable>: CheckedScenario {
    typealias World = StoreWorld<Store>
    typealias Body = @Sendable (_ thread: Int, _ world: World) throws -> Void

    var threads: [String]
    var bodies: [Body]
    var rule: String?
    var open: @Sendable (ScheduledStorage) throws -> Store
    var prepare: @Sendable (Store) throws -> Void = { _ in }
    /// What must hold in the end.
    var expect: @Sendable (World) throws -> Void
    let crashes: CrashChecker?
    var crashCounts: CrashCounts? { crashes?.counts }

    func makeWorld() throws -> World {
        try World(threadCount: threads.count, rule: rule, open: open, prepare: prepare)
    }

    func run(_ thread: Int, in world: World) throws { try bodies[thread](thread, world) }

    func check(_ world: World) throws {
        let last = world.recording.eventCount
        try crashes?.check(world.recording, world.notes, from: world.firstEvent, through: last)
        try expect(world)
    }

    func describe(word index: Int, of words: String, value: UInt64?) -> String? {
        LogWordText.describe(index, of: words, value: value)
    }
}

extension CrashChecker {
    /// Everything that was acknowledged is there, and nothing twice.
    static func ofAcknowledged(recover: @escaping Recovery) -> CrashChecker {
        CrashChecker(recover: recover) { content, notes in
            let found = Set(content)
            for case .durable(let entry) in notes where !found.contains(entry) {
                return "\(entry) is gone, though it was acknowledged; recovery finds \(content)"
            }
            return found.count == content.count ? nil : "something is there twice: \(content)"
        }
    }
}
