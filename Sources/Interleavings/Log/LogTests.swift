import Engine
import Schedules

/// The scenarios of the log.
enum LogTests {
    static let all: [ScheduleTest] = [
        append, appendBesideSync, appendAndSync, groupCommit, rotation, truncationAfter, truncationBefore, truncations,
        truncationTwice, failingSync, failingGroup, closing, truncatedSync, reader,
    ]

    private typealias Part = LogScenario.Part

    private static func scenario(
        _ name: String, _ summary: String, _ depth: ScheduleDepth, stopsWithin: Int? = 1, _ parts: [Part],
        _ change: @escaping @Sendable (inout LogScenario) -> Void
    ) -> ScheduleTest {
        ScheduleTest(name, summary, depth, stopsWithin: stopsWithin) { bug, checksCrashes in
            var scenario = LogScenario(
                parts, bug: bug, crashes: checksCrashes ? LogScenario.makeChecker() : nil)
            change(&scenario)
            return scenario
        }
    }

    private static func appends(_ content: String) -> Part {
        Part(name: "append \(content)") { thread, world in world.results[thread].append(try world.append(content)) }
    }

    private static func appendsAndSyncs(_ content: String) -> Part {
        Part(
            name: "sync \(content)",
            body: { thread, world in world.results[thread].append(try world.appendAndSync(content)) },
            waits: LogScenario.waitsOfSync)
    }

    /// Like `appendsAndSyncs`, but the log may end before.
    private static func appendsAndSyncsUnlessEnded(_ content: String) -> Part {
        Part(
            name: "sync \(content)",
            body: { thread, world in
                try world.expectingEnd(in: thread) { () throws(EngineError) in
                    world.results[thread].append(try world.appendAndSync(content))
                }
            }, waits: LogScenario.waitsOfSync)
    }

    private static let removesAllAfterTheFirst = Part(
        name: "truncate after 1",
        body: { _, world in
            world.note(.truncatesAfter(1))
            try world.log.truncate(after: 1)
        }, waits: LogScenario.waitsOfChange)

    private static func truncates(before lsn: UInt64) -> Part {
        Part(
            name: "truncate before \(lsn)",
            body: { _, world in
                world.note(.truncatesBefore(lsn))
                _ = try world.log.removeSegments(before: lsn)
            }, waits: LogScenario.waitsOfChange)
    }

    /// Two segments, all of it durable.
    private static func segments(_ first: [String], _ second: [String]) -> @Sendable (LogWorld) throws -> Void {
        { world in
            var entries = try first.map { try world.append($0) }
            try world.log.rotate()
            entries += try second.map { try world.append($0) }
            try world.log.sync()
            for entry in entries { world.note(.durable(entry)) }
        }
    }

    static let append = scenario(
        "append", "two threads append: distinct LSNs, disjoint ranges, both recovered", .all,
        [appends("a"), appends("b")]
    ) {
        $0.expect = { world in
            try world.expectAfterClose(["a", "b"])
            try world.expectResultsInLog()
        }
    }

    static let appendBesideSync = scenario(
        "append-beside-sync", "a thread appends while another appends and syncs: an append waits for nobody",
        .allWithout(surprisesWithin: 2), [appends("a"), appendsAndSyncs("b")]
    ) {
        $0.expect = { world in
            try world.expectAfterClose(["a", "b"])
            try world.expectResultsInLog()
        }
    }

    static let appendAndSync = scenario(
        "append-sync", "two threads append and sync: one sync or two, each returns when its record is durable",
        .allWithout(surprisesWithin: 2),
        [appendsAndSyncs("a"), appendsAndSyncs("b")]
    ) {
        $0.expect = { world in
            guard (1...2).contains(world.syncCount) else {
                throw ScheduleCheckError("\(world.syncCount) syncs for two records")
            }
            try world.expectResultsInLog()
        }
    }

    static let groupCommit = scenario(
        "group-commit", "three threads append and sync", .within(2), stopsWithin: 0,
        [appendsAndSyncs("a"), appendsAndSyncs("b"), appendsAndSyncs("c")]
    ) {
        $0.expect = { world in
            guard (1...3).contains(world.syncCount) else {
                throw ScheduleCheckError("\(world.syncCount) syncs for three records")
            }
            try world.expectResultsInLog()
        }
    }

    static let rotation = scenario(
        "rotation", "a thread appends and syncs while another begins a new segment", .allWithout(surprisesWithin: 2),
        [
            appendsAndSyncs("b"),
            Part(name: "rotate", body: { _, world in try world.log.rotate() }, waits: LogScenario.waitsOfChange),
        ]
    ) {
        // An append waits while a segment is replaced.
        $0.waits[0].insert(LogScenario.sealGate)
        $0.prepare = { world in try world.append("a") }
        $0.expect = { world in
            try world.expectResultsInLog()
            try world.expectAfterClose(["a", "b"])
        }
    }

    static let truncationAfter = scenario(
        "truncate-after", "a thread appends and syncs while another removes all records after the first",
        .allWithout(surprisesWithin: 2),
        [
            appendsAndSyncs("c"),
            removesAllAfterTheFirst,
        ]
    ) {
        $0.waits[0].insert(LogScenario.sealGate)
        $0.prepare = { world in
            try world.append("a")
            try world.append("b")
            try world.log.sync()
        }
        $0.expect = { world in
            try world.log.close()
            let found = try world.records().map(\.content)
            // c came before the truncation, which removed it, or after.
            guard found == ["a"] || found == ["a", "c"] else {
                throw ScheduleCheckError("recovery finds \(found)")
            }
            let number = world.results[0].first?.number
            guard found.count == 1 || number == 2 else { throw ScheduleCheckError("c has LSN \(number ?? 0)") }
        }
    }

    static let truncationBefore = scenario(
        "truncate-before", "a thread appends and syncs while another frees the space of the first segment", .all,
        [appendsAndSyncs("c"), truncates(before: 2)]
    ) {
        $0.prepare = segments(["a"], ["b"])
        $0.expect = { world in
            try world.expectResultsInLog()
            try world.expectAfterClose(["b", "c"])
        }
    }

    static let truncations = scenario(
        "truncate-both", "a thread frees the first segment while another removes all records after the first",
        .allWithout(surprisesWithin: 2),
        [
            truncates(before: 3),
            Part(
                name: "truncate after 1",
                body: { thread, world in
                    world.note(.truncatesAfter(1))
                    do throws(EngineError) { try world.log.truncate(after: 1) } catch {
                        guard case .noSuchRecord = error else { throw error }
                        world.errors[thread].append(error)
                    }
                }, waits: LogScenario.waitsOfChange),
        ]
    ) {
        $0.prepare = segments(["a", "b"], ["c"])
        $0.expect = { world in
            // Who comes second finds nothing to remove: the first record is gone, or its segment is the active one.
            try world.expectAfterClose(world.errors[1].isEmpty ? ["a"] : ["c"])
        }
    }

    static let truncationTwice = scenario(
        "truncate-twice", "two threads free the space of the first segment", .all,
        [truncates(before: 2), truncates(before: 2)]
    ) {
        $0.threads = ["truncate", "truncate too"]
        $0.prepare = segments(["a"], ["b"])
        $0.expect = { world in try world.expectAfterClose(["b"]) }
    }

    static let failingSync = scenario(
        "failing-sync", "two threads append and sync, and the first sync fails: every waiting thread gets the error",
        .allWithout(surprisesWithin: 2),
        [appendsAndSyncsUnlessEnded("a"), appendsAndSyncsUnlessEnded("b")]
    ) {
        $0.rule = "fdatasync path=*.log nth=2 -> EIO lose"
        $0.waits = $0.waits.map { $0.union([LogScenario.sealGate]) }
        $0.expect = { world in try world.expectNothingAcknowledged() }
    }

    static let failingGroup = scenario(
        "failing-group", "three threads append and sync, and the first sync fails: no thread sleeps on", .within(2),
        stopsWithin: nil,
        [appendsAndSyncsUnlessEnded("a"), appendsAndSyncsUnlessEnded("b"), appendsAndSyncsUnlessEnded("c")]
    ) {
        $0.rule = "fdatasync path=*.log nth=2 -> EIO lose"
        $0.expect = { world in try world.expectNothingAcknowledged() }
    }

    static let closing = scenario(
        "close", "a thread appends and syncs while another closes the log", .allWithout(surprisesWithin: 2),
        [
            appendsAndSyncsUnlessEnded("b"),
            Part(
                name: "close",
                body: { _, world in
                    try world.log.close()
                    // Closing makes everything durable.
                    world.note(.durable(Entry(number: 1, content: "a")))
                }, waits: LogScenario.waitsOfChange),
        ]
    ) {
        $0.waits[0].insert(LogScenario.sealGate)
        $0.prepare = { world in try world.append("a") }
        $0.expect = { world in
            let found = try world.records()
            guard Set(world.acknowledged).isSubset(of: found) else {
                throw ScheduleCheckError("recovery finds \(found), acknowledged were \(world.acknowledged)")
            }
        }
    }

    static let truncatedSync = scenario(
        "truncated-sync", "a thread syncs a record that another removes: the sync returns",
        .allWithout(surprisesWithin: 2),
        [
            Part(
                name: "sync b", body: { _, world in try world.log.sync(through: 2) }, waits: LogScenario.waitsOfSync),
            removesAllAfterTheFirst,
        ]
    ) {
        $0.prepare = { world in
            try world.append("a")
            try world.append("b")
        }
        $0.expect = { world in try world.expectAfterClose(["a"]) }
    }

    static let reader = scenario(
        "reader", "a thread reads the log while another appends: it sees a beginning of the log, in order",
        .all,
        [
            appendsAndSyncs("b"),
            Part(
                name: "read",
                body: { thread, world in
                    var reader = try world.log.records(from: .none)
                    while let record = try reader.next() {
                        world.results[thread].append(
                            Entry(
                                number: record.lsn.rawValue, content: String(decoding: record.payload, as: UTF8.self)))
                    }
                }, waits: [LogScenario.writeGate, .loop]),
        ]
    ) {
        $0.prepare = { world in try world.append("a") }
        $0.expect = { world in
            let seen = world.results[1].map(\.content)
            guard seen == ["a"] || seen == ["a", "b"] else { throw ScheduleCheckError("the reader saw \(seen)") }
            try world.expectAfterClose(["a", "b"])
        }
    }
}

extension EngineError {
    /// Whether the log refuses further work: it was closed, or a write or sync failed.
    var isEnding: Bool {
        switch self {
        case .poisoned, .closed: true
        default: false
        }
    }
}
