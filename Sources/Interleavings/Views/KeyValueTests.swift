import Bytes
import Engine
import Schedules
import Storage

/// The scenarios of the key-value view.
enum KeyValueTests {
    static let all = [compactionBesidePut, compactionBesideGet]

    private typealias Scenario = StoreScenario<KeyValueStore>

    /// Two keys, each with a replaced value in an older segment.
    private static func prepare(_ store: KeyValueStore) throws {
        try store.put("x", Array("0".utf8))
        try store.put("y", Array("0".utf8))
        try store.rotate()
        try store.put("x", Array("1".utf8))
        try store.put("y", Array("1".utf8))
        try store.sync()
    }

    private static let compact: Scenario.Body = { _, world in _ = try world.store.compact() }

    private static let putAndSync: Scenario.Body = { _, world in
        let lsn = try world.store.put("x", Array("2".utf8))
        try world.store.sync(through: lsn)
        world.note(.durable(Entry(number: 0, content: "x=2")))
    }

    /// Reads both keys.
    private static let get: Scenario.Body = { thread, world in
        for key in ["x", "y"] {
            let value = try world.store.get(ByteString(key)).map { String(decoding: $0, as: UTF8.self) }
            world.results[thread].append(Entry(number: 0, content: "\(key)=\(value ?? "nothing")"))
        }
    }

    private static func scenario(
        _ name: String, _ summary: String, _ depth: ScheduleDepth, _ threads: [(name: String, body: Scenario.Body)],
        getting wanted: Set<String> = [], leaving left: Set<String>
    ) -> ScheduleTest {
        let names = threads.map(\.name)
        let bodies = threads.map(\.body)
        return ScheduleTest(name, summary, depth) { bug, checksCrashes in
            Scenario(
                threads: names, bodies: bodies,
                open: { storage in
                    try KeyValueStore.open(
                        storage: storage, options: options, planting: bug, coordination: ScheduledCoordination.self)
                }, prepare: prepare,
                expect: { world in
                    let gotten = Set(world.results.flatMap { $0 }.map(\.content))
                    guard gotten == wanted else { throw ScheduleCheckError("the reader gets \(gotten.sorted())") }
                    let found = Set(try content(of: world.store))
                    guard found == left else { throw ScheduleCheckError("the store has \(found.sorted())") }
                    try world.store.close()
                },
                crashes: checksCrashes ? CrashChecker(recover: recover, judge: judge) : nil)
        }
    }

    private static let options = KeyValueOptions(log: LogWorld.options)

    static let compactionBesidePut = scenario(
        "compact-put", "a thread compacts while another puts a key and syncs", .within(2),
        [("compact", compact), ("put x", putAndSync)], leaving: ["x=2", "y=1"])

    static let compactionBesideGet = scenario(
        "compact-get", "a thread compacts while another reads: each key is found, in its place or in the new one",
        .within(2), [("compact", compact), ("get", get)], getting: ["x=1", "y=1"],
        leaving: ["x=1", "y=1"])

    // MARK: Contents

    private static func content(of store: KeyValueStore) throws -> [String] {
        try store.items().map { "\($0.key)=\(String(decoding: $0.value, as: UTF8.self))" }
    }

    private static func recover(_ storage: MemoryStorage) throws -> [Entry] {
        let store = try KeyValueStore.open(storage: storage, options: options)
        return try content(of: store).map { Entry(number: 0, content: $0) }
    }

    /// Both keys are there: x with what was acknowledged last, or with what is being put.
    private static func judge(_ content: [Entry], _ notes: ArraySlice<CrashNote>) -> String? {
        let found = Set(content.map(\.content))
        let wanted: [Set<String>] = notes.isEmpty ? [["x=1", "y=1"], ["x=2", "y=1"]] : [["x=2", "y=1"]]
        return wanted.contains(found) ? nil : "recovery finds \(found.sorted()), after \(notes)"
    }
}
