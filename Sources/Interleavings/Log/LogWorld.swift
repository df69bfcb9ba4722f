import Bytes
import Engine
import Model
import Platform
import Schedules
import Storage

/// A log that threads share, on a recorded storage in memory.
final class LogWorld: @unchecked Sendable {
    let recording: RecordingStorage
    let storage: ScheduledStorage
    let log: any RecordLog
    /// The notes, in the order of the trace.
    private(set) var notes: [CrashNote] = []
    /// What each thread found out: written by itself, read by the check.
    var results: [[Entry]]
    /// The errors that each thread's calls threw, in order.
    var errors: [[EngineError]]
    /// The number of events when the threads began.
    private(set) var firstEvent = 0

    static let options = LogOptions(segmentSizeBytes: 4 << 10, zeroAheadBytes: 0, bufferSizeBytes: 4 << 10)

    /// - Parameter rule: a fault rule; nil for storage that never fails.
    init(threadCount: Int, planting bug: PlantedBug?, rule: String?) throws {
        recording = try RecordingStorage(MemoryStorage())
        if let rule {
            storage = ScheduledStorage(FaultyStorage(recording, RuleSet([try Rule(parsing: rule)], seed: 1)) { _ in })
        } else {
            storage = ScheduledStorage(recording)
        }
        log = try RecordLogs.open(
            storage, shard: 0, options: Self.options, planting: bug, coordination: ScheduledCoordination.self
        ) { _ in }
        results = Array(repeating: [], count: threadCount)
        errors = Array(repeating: [], count: threadCount)
    }

    func begin() { firstEvent = recording.eventCount }

    /// Appends a note to the trace, as a step.
    func note(_ note: CrashNote) {
        ScheduledObject.step("\(note)", writing: [storage.trace]) {
            recording.record(oracle: Array("\(note)".utf8))
            notes.append(note)
        }
    }

    // MARK: What threads do

    @discardableResult
    func append(_ content: String) throws(EngineError) -> Entry {
        Entry(number: try log.appendRecord(.raw, "", Array(content.utf8)), content: content)
    }

    func appendAndSync(_ content: String) throws(EngineError) -> Entry {
        let entry = try append(content)
        try sync(through: entry)
        return entry
    }

    /// Makes a record durable, and acknowledges it.
    func sync(through entry: Entry) throws(EngineError) {
        try log.sync(through: entry.number)
        note(.durable(entry))
    }

    /// Runs a thread's part, and keeps the error by which the log refuses further work. Other errors are failures.
    func expectingEnd(in thread: Int, _ body: () throws(EngineError) -> Void) throws(EngineError) {
        do throws(EngineError) { try body() } catch {
            errors[thread].append(error)
            if !error.isEnding { throw error }
        }
    }

    // MARK: What is checked

    var acknowledged: [Entry] {
        notes.compactMap { if case .durable(let entry) = $0 { entry } else { nil } }
    }

    /// The successful syncs of files since the threads began.
    var syncCount: Int {
        var begun: Set<OperationID> = []
        var count = 0
        for event in recording.events.dropFirst(firstEvent) {
            if case .barrierBegan(let id, .fdatasync, _) = event { begun.insert(id) }
            if case .barrierEnded(let id, errno: 0) = event, begun.contains(id) { count += 1 }
        }
        return count
    }

    /// The records of a log, as a recovery finds them.
    static func records(in storage: MemoryStorage) throws -> [Entry] {
        var entries: [Entry] = []
        _ = try RecordLogs.open(
            storage, shard: 0, options: options, planting: nil, coordination: SystemCoordination.self
        ) { frame in
            entries.append(
                Entry(number: frame.lsn, content: String(decoding: frame.payload, as: UTF8.self)))
        }
        return entries
    }

    /// The records that a recovery of the present files finds.
    func records() throws -> [Entry] {
        var contents: [ByteString: [UInt8]] = [:]
        for name in try recording.list() { contents[name] = try recording.openForReading(name).contents() }
        return try Self.records(in: MemoryStorage(contents: contents))
    }
}
