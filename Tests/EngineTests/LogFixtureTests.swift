import Bytes
import Foundation
import Storage
import Testing

@testable import Engine
@testable import Events

/// The fixtures are frozen: they pin docs/log-format.md, version 2 those whose names begin with `v2-`, version 1 the
/// others. What recovery makes of them is written anew by
/// `FAULTLINE_UPDATE_FIXTURES=1 swift test --filter LogFixtureTests`; read the difference before you commit it.
@Suite struct LogFixtureTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    static let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".txt") }.sorted()

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    @Test(arguments: names) func `recovery gives the result in the fixture`(_ name: String) throws {
        let text = try Self.text(name)
        let regenerated = try LogFixture(text).regenerated()
        if ProcessInfo.processInfo.environment["FAULTLINE_UPDATE_FIXTURES"] != nil {
            try regenerated.write(to: Self.folder.appending(path: name), atomically: true, encoding: .utf8)
        } else {
            #expect(regenerated == text)
        }
    }

    /// The whole run of a fixture's bytes is what the engine writes now.
    @Test func `a compaction writes the frozen bytes`() throws {
        let store = try KeyValueStore.open(storage: MemoryStorage(), options: small)
        for (key, value) in [("c", "three"), ("a", "none"), ("b", "two"), ("a", "one")] as [(ByteString, String)] {
            try store.put(key, bytes(value))
        }
        let target = MemoryStorage()
        try store.compact(into: target)
        #expect(try target.contents() == LogFixture(Self.text("v2-compacted.txt")).files)
    }

    @Test func `the event view writes and reads the frozen bytes`() throws {
        let frozen = try LogFixture(Self.text("v2-events.txt")).files
        var reader = try EventReader.open(storage: MemoryStorage(contents: frozen))
        let found = try #require(try reader.next())
        #expect(found.sequence == 1 && found.arrivalNanoseconds == 1000)
        #expect(found.event == Event(entity: "tram", type: "arrived", weight: 1.5, timestamp: -2))
        #expect(try reader.next() == nil)
        let storage = MemoryStorage()
        let clock = TestClock(nanoseconds: 1000)
        let store = try EventStore.open(storage: storage, options: eager, clock: clock)
        try store.append(found.event)
        clock.advance(nanoseconds: 1000)
        try store.takeCheckpoint()
        try store.close()
        #expect(try storage.contents() == frozen)
    }

    /// What recovery shows stays, whatever happens next: opening, writing and opening again agree with it.
    @Test(arguments: names, [DamagePolicy.refuse, .skipDamaged])
    func `an opened log can be written and opened again`(_ name: String, _ policy: DamagePolicy) throws {
        let fixture = try LogFixture(Self.text(name))
        let storage = try MemoryStorage(contents: fixture.files)
        var options = small
        options.log.damagePolicy = policy
        // The event view's records have a test of their own.
        guard !name.hasSuffix("events.txt") else { return }
        let first: KeyValueStore
        do { first = try KeyValueStore.open(storage: storage, options: options) } catch {
            #expect(fixture.expectations.contains("refused: \(error)"))
            #expect(try storage.contents() == fixture.files, "refusing changes nothing")
            return
        }
        var expected = try first.dump()
        // Longer than anything that a fixture discards, so that a tail that was not cut would show.
        for round in 0..<8 {
            let value = [UInt8](repeating: UInt8(round), count: 20 * round)
            try first.put("new", value)
            expected["new"] = value
        }
        try first.sync()
        let crashed = try reopen(storage, options: options)
        #expect(try crashed.dump() == expected)
        #expect(crashed.recoveryReport.segmentsWithTruncatedTail == 0)
        #expect(crashed.recoveryReport.lastLSN.rawValue == first.recoveryReport.lastLSN.rawValue + 8)
    }

    @Test func `the example in docs/log-format.md is the engine's output`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        try store.put("greeting", bytes("hello"))
        try store.delete("greeting")
        try store.close()
        #expect(try storage.contents() == ["0000-0000000001.log": Self.exampleOfThePage()])
    }

    /// The bytes of the page's last indented block: columns 9 to 55 of each line.
    private static func exampleOfThePage() throws -> [UInt8] {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/log-format.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let example = try #require(text.range(of: "## Example", options: .backwards))
        return text[example.upperBound...].split(separator: "\n").filter { $0.hasPrefix("    ") }
            .flatMap { $0.dropFirst(9).prefix(47).split(separator: " ").compactMap { UInt8($0, radix: 16) } }
    }
}
