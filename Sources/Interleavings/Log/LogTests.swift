import Engine
import Schedules

/// The scenarios of the log.
enum LogTests {
    static let all: [ScheduleTest] = [
        append, appendAndSync, groupCommit, rotation, truncationAfter, truncationBefore, failingSync, closing,
        truncatedSync, reader,
    ]

    private typealias Part = (name: String, body: LogScenario.Body)

    private static func scenario(
        _ name: String, _ summary: String, _ depth: ScheduleDepth, _ parts: [Part],
        _ change: @escaping @Sendable (inout LogScenario) -> Void
    ) -> ScheduleTest {
        let names = parts.map(\.name)
        let bodies = parts.map(\.body)
        return ScheduleTest(name, summary, depth) { bug, checksCrashes in
            var scenario = LogScenario(
                Array(zip(names, bodies)), bug: bug, crashes: checksCrashes ? LogScenario.makeChecker() : nil)
            change(&scenario)
            return scenario
        }
    }

    private static func appends(_ content: String) -> Part {
        ("append \(content)", { thread, world in world.results[thread].append(try world.append(content)) })
    }

    private static func appendsAndSyncs(_ content: String) -> Part {
        ("sync \(content)", { thread, world in world.results[thread].append(try world.appendAndSync(content)) })
    }

    /// Like `appendsAndSyncs`, but the log may end before.
    private static func appendsAndSyncsUnlessEnded(_ content: String) -> Part {
        (
            "sync \(content)",
            { thread, world in
                try world.expectingEnd(in: thread) { () throws(EngineError) in
                    world.results[thread].append(try world.appendAndSync(content))
                }
            }
        )
    }

    private static let removesAllAfterTheFirst: Part = (
        "truncate",
        { _, world in
            world.note(.truncatesAfter(1))
            try world.log.truncate(after: 1)
        }
    )

    static let append = scenario(
        "append", "two threads append: distinct LSNs, disjoint ranges, both recovered", .all,
        [appends("a"), appends("b")]
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
        "group-commit", "three threads append and sync", .within(2),
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
        [appendsAndSyncs("b"), ("rotate", { _, world in try world.log.rotate() })]
    ) {
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
        [
            appendsAndSyncs("c"),
            (
                "truncate",
                { _, world in
                    world.note(.truncatesBefore(2))
                    _ = try world.log.removeSegments(before: 2)
                }
            ),
        ]
    ) {
        $0.prepare = { world in
            try world.append("a")
            try world.log.rotate()
            try world.append("b")
            try world.log.sync()
        }
        $0.expect = { world in
            try world.expectResultsInLog()
            try world.expectAfterClose(["b", "c"])
        }
    }

    static let failingSync = scenario(
        "failing-sync", "two threads append and sync, and the first sync fails: every waiting thread gets the error",
        .allWithout(surprisesWithin: 2),
        [appendsAndSyncsUnlessEnded("a"), appendsAndSyncsUnlessEnded("b")]
    ) {
        $0.rule = "fdatasync path=*.log nth=2 -> EIO lose"
        $0.expect = { world in
            if !world.acknowledged.isEmpty {
                throw ScheduleCheckError("\(world.acknowledged) are acknowledged, though the only sync failed")
            }
            guard world.errors.allSatisfy({ $0.count == 1 }) else {
                throw ScheduleCheckError("a thread got no error: \(world.errors)")
            }
        }
    }

    static let closing = scenario(
        "close", "a thread appends and syncs while another closes the log", .allWithout(surprisesWithin: 2),
        [
            appendsAndSyncsUnlessEnded("b"),
            (
                "close",
                { _, world in
                    try world.log.close()
                    // Closing makes everything durable.
                    world.note(.durable(Entry(number: 1, content: "a")))
                }
            ),
        ]
    ) {
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
            ("sync b", { _, world in try world.log.sync(through: 2) }),
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
            (
                "read",
                { thread, world in
                    var reader = try world.log.records(from: .none)
                    while let record = try reader.next() {
                        world.results[thread].append(
                            Entry(
                                number: record.lsn.rawValue, content: String(decoding: record.payload, as: UTF8.self)))
                    }
                }
            ),
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
