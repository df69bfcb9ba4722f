import Bytes
import Model
import Storage
import Testing

@testable import Engine

@Suite struct CompactionTests {
    /// A store with many replaced and deleted values over several segments, and some old keys.
    private func churn(_ store: KeyValueStore) throws {
        for index in 0..<5 { try store.put(ByteString("old \(index)"), bytes("kept \(index)")) }
        for index in 0..<200 {
            try store.put(ByteString("k\(index % 11)"), [UInt8](repeating: UInt8(index), count: 50))
            if index % 3 == 0 { try store.delete(ByteString("k\(index % 7)")) }
        }
        try store.sync()
    }

    @Test func `a compaction in place keeps live data and frees the rest`() throws {
        let storage = MemoryStorage()
        let store = try open(storage)
        try churn(store)
        let expected = try store.dump()
        let before = storage.list().count
        let report = try store.compact()
        #expect(report.liveKeys == expected.count && report.recordsWritten == expected.count)
        #expect(report.segmentsRemoved == before)
        #expect(storage.list().count < before)
        #expect(try store.dump() == expected)
        #expect(try reopen(storage).dump() == expected)
        try store.delete("old 0")
        try store.compact()
        try store.close()
        let again = try open(storage)
        #expect(again.contains("old 1") && !again.contains("old 0"))
        #expect(again.recoveryReport.recordsReplayed == expected.count - 1)
    }

    @Test func `a compaction with concurrent readers and writers loses nothing`() throws {
        let storage = MemoryStorage()
        let store = try open(storage)
        try churn(store)
        try inParallel(4) { thread in
            for round in 0..<40 {
                switch thread {
                case 0: try store.compact()
                case 1: for key in store.keys { _ = try store.get(key) }
                default:
                    try store.put(ByteString("k\(round % 11)"), [UInt8](repeating: UInt8(round), count: 60))
                    if round % 5 == 0 { try store.delete(ByteString("k\(round % 7)")) }
                }
            }
        }
        try store.sync()
        #expect(try reopen(storage).dump() == store.dump())
        for index in 0..<5 { #expect(try store.get(ByteString("old \(index)")) == bytes("kept \(index)")) }
    }

    @Test(arguments: Profile.allCases) func `a crash during a compaction loses nothing`(_ profile: Profile) throws {
        var recovered = 0
        let findings = try RecordedRun.compacting().explore(profile, seeds: 0..<6, recovered: &recovered)
        #expect(findings.isEmpty, "\(findings.prefix(3))")
        #expect(recovered > 25)
    }

    @Test func `a compaction into another directory does not change this one`() throws {
        let source = MemoryStorage()
        let store = try open(source)
        try churn(store)
        let before = try source.contents()
        let target = MemoryStorage()
        let report = try store.compact(into: target)
        #expect(try source.contents() == before)
        let recordedBytes = try target.recordedBytes()
        let compacted = try open(target)
        #expect(try compacted.dump() == store.dump())
        #expect(compacted.recoveryReport.recordsReplayed == report.recordsWritten)
        #expect(report.liveKeys == store.count && report.recordsWritten == store.count)
        let headers = compacted.recoveryReport.filesScanned * SegmentHeader.sizeBytes
        let close = Frame.overheadBytes
        #expect(report.bytesWritten == recordedBytes - headers - close)
    }

    @Test func `equal contents give equal bytes`() throws {
        let targets = [MemoryStorage(), MemoryStorage()]
        for (number, target) in targets.enumerated() {
            let store = try open(MemoryStorage())
            for index in 0..<100 {
                let key = number == 0 ? index : 99 - index
                try store.put(ByteString("k\(key)"), bytes("value \(key)"))
            }
            if number == 1 { try store.compact() }
            try store.compact(into: target)
        }
        #expect(try targets[0].contents() == targets[1].contents())
    }

    @Test func `a target that is not empty is refused`() throws {
        let store = try open(MemoryStorage())
        let target = try MemoryStorage(contents: ["something": []])
        #expect(throws: EngineError.targetNotEmpty) { try store.compact(into: target) }
        #expect(try target.contents() == ["something": []])
    }

    @Test func `an export has a line for each key, in order`() throws {
        let store = try open(MemoryStorage())
        for (key, value) in [("b", [1, 2]), ("", []), ("a", [255]), ("é", [0])] as [(ByteString, [UInt8])] {
            try store.put(key, value)
        }
        let target = try MemoryStorage(contents: ["out.jsonl": [1], "out.jsonl.partial": [2]])
        #expect(try store.exportJSONL(to: "out.jsonl", in: target) == 4)
        let text = String(decoding: try #require(try target.contents()["out.jsonl"]), as: UTF8.self)
        #expect(
            text == """
                {"key_b64":"","value_b64":""}
                {"key_b64":"YQ==","value_b64":"/w=="}
                {"key_b64":"Yg==","value_b64":"AQI="}
                {"key_b64":"w6k=","value_b64":"AA=="}

                """)
        #expect(target.list() == ["out.jsonl"])
    }

    /// At every crash point the name refers to the complete old export or the complete new one.
    @Test(arguments: Profile.allCases) func `an export replaces the previous one atomically`(_ profile: Profile) throws
    {
        let store = try open(MemoryStorage())
        for index in 0..<200 { try store.put(ByteString("k\(index)"), [UInt8](repeating: UInt8(index), count: 50)) }
        let target = try RecordingStorage(MemoryStorage(contents: ["out": bytes("before")]))
        try store.exportJSONL(to: "out", in: target)
        let after = try target.open("out").contents()
        var pending = PendingSet(profile: profile, base: target.base)
        for event in target.events {
            pending.add(event)
            for choice in [Choice.nothing, .everything] + (0..<8).map({ Choice.seeded($0) }) {
                let tree = pending.tree(pending.survivors(choice))
                let found = try MemoryStorage(tree, payloads: target.payloads).contents()["out"]
                #expect(found == bytes("before") || found == after)
            }
        }
        let last = pending.tree(pending.survivors(.nothing))
        #expect(try MemoryStorage(last, payloads: target.payloads).contents()["out"] == after, "it is durable")
    }
}

extension MemoryStorage {
    /// The bytes of all segments, of stores that were closed.
    func recordedBytes() throws -> Int { try contents().values.reduce(0) { $0 + $1.count } }
}
