import Engine
import Schedules

/// Threads that share a log.
struct LogScenario: CheckedScenario {
    typealias Body = @Sendable (_ thread: Int, _ world: LogWorld) throws -> Void

    /// A thread: what it does, and where it may wait for another one that has stopped for ever.
    struct Part: Sendable {
        var name: String
        var body: Body
        var waits: Set<SchedulePlace> = []
    }

    var threads: [String]
    var bodies: [Body]
    /// For each thread: where it may wait for another one that has stopped for ever.
    var waits: [Set<SchedulePlace>]
    var bug: PlantedBug?
    /// A fault of the storage.
    var rule: String?
    /// What is done before the threads begin.
    var prepare: @Sendable (LogWorld) throws -> Void = { _ in }
    /// What must hold in the end, beside what holds for every scenario.
    var expect: @Sendable (LogWorld) throws -> Void = { _ in }
    let crashes: CrashChecker?
    var crashCounts: CrashCounts? { crashes?.counts }

    init(_ threads: [Part], bug: PlantedBug?, crashes: CrashChecker?) {
        self.threads = threads.map(\.name)
        bodies = threads.map(\.body)
        waits = threads.map(\.waits)
        self.bug = bug
        self.crashes = crashes
    }

    func makeWorld() throws -> LogWorld {
        let world = try LogWorld(threadCount: threads.count, planting: bug, rule: rule)
        try prepare(world)
        world.begin()
        return world
    }

    func run(_ thread: Int, in world: LogWorld) throws { try bodies[thread](thread, world) }

    func check(_ world: LogWorld) throws {
        let last = world.recording.eventCount
        try crashes?.check(world.recording, world.notes, from: world.firstEvent, through: last)
        try expect(world)
    }

    func mayWait(_ wait: ScheduleWait, forStopped thread: Int) -> Bool { waits[wait.thread].contains(wait.place) }

    func describe(word index: Int, of words: String, value: UInt64?) -> String? {
        LogWordText.describe(index, of: words, value: value)
    }

    static func makeChecker() -> CrashChecker {
        CrashChecker(recover: LogWorld.records(in:)) { content, notes in judge(content, notes) }
    }

    /// Every acknowledged record is there, unless a truncation that had begun may have removed it; and no record is there
    /// twice.
    private static func judge(_ content: [Entry], _ notes: ArraySlice<CrashNote>) -> String? {
        var lastKept = UInt64.max
        var firstKept: UInt64 = 0
        for note in notes {
            switch note {
            case .truncatesAfter(let number): lastKept = min(lastKept, number)
            case .truncatesBefore(let number): firstKept = max(firstKept, number)
            case .durable: break
            }
        }
        let found = Set(content)
        for note in notes {
            guard case .durable(let entry) = note, !found.contains(entry) else { continue }
            if entry.number > lastKept || entry.number < firstKept { continue }
            return "\(entry) is gone, though it was acknowledged"
        }
        let contents = Set(content.map(\.content))
        return contents.count == content.count ? nil : "a record is there twice: \(content)"
    }
}

extension LogScenario {
    static let writeGate = SchedulePlace.gate("write gate")
    static let sealGate = SchedulePlace.gate("seal gate")

    /// A sync waits for the thread that leads it, for records that are reserved before its own and not yet written, and for the
    /// thread that writes them out.
    static let waitsOfSync: Set<SchedulePlace> = [.word(LogWordText.turn, of: "log"), .loop, writeGate]
    /// A call that replaces or removes segments also waits for other such calls.
    static let waitsOfChange: Set<SchedulePlace> = waitsOfSync.union([sealGate, .gate("removal gate")])
}

extension LogWorld {
    /// Expects that no thread's record was acknowledged, and that each got one error.
    func expectNothingAcknowledged() throws {
        if !acknowledged.isEmpty {
            throw ScheduleCheckError("\(acknowledged) are acknowledged, though the only sync failed")
        }
        guard errors.allSatisfy({ $0.count == 1 }) else {
            throw ScheduleCheckError("a thread got no error: \(errors)")
        }
    }

    /// Closes the log, and expects exactly these contents after a recovery, in any order.
    func expectAfterClose(_ contents: Set<String>) throws {
        try log.close()
        let found = try records()
        guard Set(found.map(\.content)) == contents, found.count == contents.count else {
            throw ScheduleCheckError("after closing, recovery finds \(found), and not \(contents.sorted())")
        }
    }

    /// Expects that the results of the threads have distinct numbers, and that recovery finds each under its number.
    func expectResultsInLog() throws {
        let entries = results.flatMap { $0 }
        guard Set(entries.map(\.number)).count == entries.count else {
            throw ScheduleCheckError("two records have the same LSN: \(entries)")
        }
        let found = Set(try records())
        if let missing = entries.first(where: { !found.contains($0) }) {
            throw ScheduleCheckError(
                "recovery does not find \(missing); it finds \(found.sorted { $0.number < $1.number })")
        }
    }
}
