import Bytes
import Foundation
import Model
import Storage
import Testing

@testable import Engine
@testable import Events

/// Damaged and torn tails: durable records are not dropped if the log can know that they were durable, and every crash is
/// recovered automatically.
@Suite struct DamagedTailTests {
    private static let name: ByteString = "0000-0000000001.log"

    // MARK: Going on without a damaged tail

    private var discarding: KeyValueOptions {
        var options = small
        options.log.damagedTail = .setAside
        return options
    }

    /// Four puts, each durable before the next: the offset of each record, and of the close behind them.
    private func fourPuts(closing: Bool) throws -> (contents: [UInt8], offsets: [Int]) {
        let storage = MemoryStorage()
        let store = try open(storage)
        var offsets = [SegmentHeader.sizeBytes]
        for index in 0..<4 {
            try store.put(ByteString("k\(index)"), [UInt8](repeating: UInt8(index + 1), count: 700))
            try store.sync()
            offsets.append(offsets.last! + Frame.size(keyCount: 2, payloadCount: 700))
        }
        if closing { try store.close() }
        return (try #require(try storage.contents()[Self.name]), offsets)
    }

    /// The damaged record (4 is the close mark, -1 the header), and the remaining log.
    @Test(arguments: [(0, true, 0), (1, true, 1), (3, true, 3), (2, false, 2), (-1, true, 0)])
    func `a damaged tail is refused unless it may be set aside`(_ record: Int, _ isClosed: Bool, _ kept: Int) throws {
        var (contents, offsets) = try fourPuts(closing: isClosed)
        contents[record < 0 ? 20 : offsets[record] + 30] ^= 4
        let storage = try MemoryStorage(contents: [Self.name: contents])
        #expect {
            try open(storage)
        } throws: {
            guard case EngineError.damagedTail(let damage, _)? = $0 as? EngineError else { return false }
            return damage.segment == Self.name && damage.offsetBytes == (record < 0 ? 0 : offsets[record])
        }
        #expect(try storage.contents() == [Self.name: contents], "a refusal changes nothing")

        let store = try open(storage, discarding)
        let start = record < 0 ? 0 : offsets[record]
        let aside = try #require(store.recoveryReport.setAsideFile)
        #expect("\(aside)" == "0000-0000000001.log.dropped-at-\(start)")
        let used = (contents.lastIndex { $0 != 0 } ?? 0) + 1
        #expect(try storage.contents()[aside] == Array(contents[start..<used]))
        #expect(store.keys == (0..<kept).map { ByteString("k\($0)") })
        try store.put("new", [9])
        try store.close()
        let again = try open(storage)
        #expect(again.keys == (0..<kept).map { ByteString("k\($0)") } + ["new"])
        #expect(again.recoveryReport.ending == .closed && again.recoveryReport.setAsideFile == nil)
        #expect(storage.list().count == 2, "nothing but the segment and what was set aside")
    }

    /// The only segment's header names a number that none of its records has, and no record could be durable up to there.
    @Test(arguments: [false, true]) func `a header with a too high LSN is not a torn tail`(_ isClosed: Bool) throws {
        let (contents, _) = try fourPuts(closing: isClosed)
        let header = SegmentHeader(name: SegmentName(shard: 0, sequence: 1), baseLSN: 100, sizeBytes: 4096).encoded
        let storage = try MemoryStorage(contents: [Self.name: header + contents.dropFirst(header.count)])
        #expect {
            try open(storage)
        } throws: {
            guard case EngineError.damagedTail(_, .lowerNumber(let lsn, _, let expected))? = $0 as? EngineError else {
                return false
            }
            return lsn == LSN(1) && expected == LSN(100)
        }
    }

    @Test func `a tail set aside twice is kept twice`() throws {
        let (contents, offsets) = try fourPuts(closing: true)
        let storage = MemoryStorage()
        for round in 1...3 {
            var damaged = contents
            damaged[offsets[1] + 30] ^= UInt8(round)
            let file = try storage.list().contains(Self.name) ? storage.open(Self.name) : storage.create(Self.name)
            try file.truncate(to: 0)
            try file.write(damaged, at: 0)
            let store = try open(storage, discarding)
            let suffix = round == 1 ? "" : "-\(round)"
            #expect(
                "\(try #require(store.recoveryReport.setAsideFile))"
                    == "0000-0000000001.log.dropped-at-\(offsets[1])\(suffix)")
            try store.close()
        }
        #expect(storage.list().count == 4)
    }

    @Test func `the event view refuses a damaged tail too`() throws {
        let storage = MemoryStorage()
        var store = try EventStore.open(storage: storage, options: eager)
        for number in 1...3 { try store.append(event(number)) }
        try store.close()
        let offset = UInt64(SegmentHeader.sizeBytes + 30)
        let byte = try storage.open(Self.name).read(countBytes: 1, at: offset)[0]
        try storage.open(Self.name).write([byte ^ 1], at: offset)
        #expect(throws: EngineError.self) { try EventStore.open(storage: storage, options: eager) }
        var options = eager
        options.log.damagedTail = .setAside
        store = try EventStore.open(storage: storage, options: options)
        #expect(store.lastSequence == 0 && store.recoveryReport.setAsideFile != nil)
    }

    /// After a crash while a tail is set aside, the whole tail is in the log or in the file.
    @Test(arguments: [Profile.kill, .strict, .ext4Ordered, .posixMin], [false, true])
    func `a crash while a tail is set aside loses none of it`(_ profile: Profile, _ isFirstVersion: Bool) throws {
        var (contents, start) = (try Self.firstVersion(), Self.firstVersionGap)
        if !isFirstVersion {
            let (puts, offsets) = try fourPuts(closing: true)
            (contents, start) = (puts, offsets[1])
        }
        contents[start + 30] ^= 1
        let recording = try RecordingStorage(MemoryStorage(contents: [Self.name: contents]))
        let store = try open(recording, discarding)
        let aside = try #require(store.recoveryReport.setAsideFile)
        try store.put("new", [UInt8](repeating: 9, count: 600))
        try store.sync()
        let used = (contents.lastIndex { $0 != 0 } ?? 0) + 1
        var pending = PendingSet(profile: profile, base: recording.base)
        var (before, after) = (0, 0)
        for event in recording.events {
            pending.add(event)
            for choice in [Choice.nothing, .everything] + (0..<12).map({ Choice.seeded($0) }) {
                let tree = pending.tree(pending.survivors(choice))
                let left = try MemoryStorage(tree, payloads: recording.payloads)
                let found = try left.contents()
                let isWhole = found[Self.name].map { $0.starts(with: contents[..<used]) } ?? false
                if isWhole { before += 1 } else { after += 1 }
                #expect(isWhole || found[aside] == Array(contents[start..<used]))
                if isWhole, !isFirstVersion {
                    #expect(throws: EngineError.self, "it is as damaged as it was") { try open(left) }
                } else {
                    let keys = try open(left).keys
                    #expect(keys.starts(with: isFirstVersion ? ["a"] : ["k0"]))
                }
            }
        }
        #expect(before > 0 && after > 0)
    }

    /// Records a, b, c of version 1 as an older program left them without closing, with room behind them.
    private static func firstVersion() throws -> [UInt8] {
        let text = try String(contentsOf: LogFixtureTests.folder.appending(path: "compacted.txt"), encoding: .utf8)
        return try #require(try LogFixture(text).files[name]) + [UInt8](repeating: 0, count: 1000)
    }

    private static let firstVersionGap = SegmentHeader.sizeBytes + Frame.size(keyCount: 1, payloadCount: 3)

    @Test func `a log of version 1 continues in a new segment`() throws {
        let storage = try MemoryStorage(contents: [Self.name: Self.firstVersion()])
        let store = try open(storage)
        #expect(store.recoveryReport.setAsideFile == nil)
        try store.put("d", [4])
        try store.close()
        #expect(storage.list().count == 2)
        let first = try storage.open(Self.name).contents()
        #expect(try Self.firstVersion().starts(with: first) && first.last != 0, "sealed, and otherwise as it was")
        var reader = try LogReader.open(storage: storage)
        var keys: [ByteString] = []
        while let record = try reader.next() { keys.append(record.key) }
        #expect(keys == ["a", "b", "c", "d"])
        // Its records can be taken back as before.
        let log = try Log.open(storage: storage, options: small.log)
        try log.truncate(after: LSN(2))
        #expect(try log.append([1]) == LSN(3))
        try log.close()
        #expect(try Log.open(storage: storage, options: small.log).lastLSN == LSN(3))
    }

    // MARK: No false positives

    /// Values that contain whole logs, whose records claim that everything was durable. Torn in every way, they prove nothing.
    @Test(arguments: [Profile.ext4Ordered, .posixMin]) func `a torn value that contains a log is not damage`(
        _ profile: Profile
    ) throws {
        let inner = MemoryStorage()
        let log = try Log.open(storage: inner)
        for number in 0..<60 { try log.appendAndSync([UInt8(number)]) }
        try log.close()
        let value = try #require(try inner.contents()[Self.name])
        let run = try RecordedRun()
        var options = small
        options.log.segmentSizeBytes = 1 << 20
        let store = try open(run.storage, options)
        for index in 0..<4 {
            let key = ByteString("k\(index)")
            try run.step {
                $0[key] = value
            } by: {
                try store.put(key, value)
            }
            try store.sync()
            run.acknowledge()
        }
        var recovered = 0
        let findings = try run.explore(profile, seeds: 0..<60, options: options, recovered: &recovered)
        #expect(findings.isEmpty, "\(findings.prefix(3))")
        #expect(recovered > 60)
    }

    /// The unsynced counts are correct for concurrent appends and syncs: no crash is taken for damage.
    @Test(arguments: [Profile.ext4Ordered, .posixMin]) func `a crash with concurrent writers is not taken for damage`(
        _ profile: Profile
    )
        throws
    {
        let recording = try RecordingStorage(MemoryStorage())
        let log = try Log.open(storage: recording, options: small.log)
        try inParallel(4) { thread in
            for round in 0..<12 {
                let lsn = try log.append([UInt8](repeating: UInt8(thread + 1), count: 40 * round))
                if round % 3 == thread % 3 { try log.sync(through: lsn) }
            }
        }
        var pending = PendingSet(profile: profile, base: recording.base)
        for event in recording.events {
            pending.add(event)
            for seed in 0..<6 as Range<UInt64> {
                let tree = pending.tree(pending.survivors(.seeded(seed)))
                _ = try Log.open(storage: MemoryStorage(tree, payloads: recording.payloads), options: small.log)
            }
        }
    }

    /// With a concurrent writer, a reader may miss a record and see later ones.
    @Test(arguments: 1...12) func `records written while a log is read are not a torn tail`(_ turn: Int) throws {
        let storage = MemoryStorage()
        let store = try open(storage, KeyValueOptions())
        for index in 0..<3 { try store.put(ByteString("k\(index)"), [1]) }
        try store.sync()
        let before = try storage.contents()
        for index in 0..<9 { try store.put(ByteString("m\(index)"), [UInt8](repeating: 1, count: 100_000)) }
        try store.sync()
        let growing = GrowingStorage(before: try MemoryStorage(contents: before), after: storage, turn: turn)
        let snapshot = try KeyValueSnapshot.open(storage: growing)
        #expect(snapshot.recoveryReport.ending == .open && snapshot.recoveryReport.tornTail == nil)
        #expect(snapshot.count >= 3 && snapshot.contains("k2"))
    }

    /// For every size of the last record, and for smaller segments at the next opening.
    @Test(arguments: [10, 2000, 4096 - 36 - 29, 4096 - 36 - 29 - 27, 9000])
    func `a log that was not closed does not look cut short`(_ size: Int) throws {
        let storage = MemoryStorage()
        func ending() throws -> LogEnding {
            try KeyValueSnapshot.open(storage: MemoryStorage(contents: storage.contents())).recoveryReport.ending
        }
        for options in [small, KeyValueOptions(log: LogOptions(segmentSizeBytes: 1 << 20)), small] {
            let store = try open(storage, options)
            #expect(try ending() == .open || ending() == .closed)
            try store.put("k", [UInt8](repeating: 1, count: size))
            try store.sync()
            #expect(try ending() == .open)
            try store.close()
            #expect(try ending() == .closed)
        }
    }

    // MARK: Looking for records behind the tail

    @Test func `large records after a gap are found`() throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage)
        for index in 0..<5 { try store.put(ByteString("k\(index)"), [UInt8](repeating: UInt8(index), count: 100_001)) }
        try store.sync()
        var contents = try storage.contents()
        contents[Self.name]![SegmentHeader.sizeBytes + 100] ^= 1
        let snapshot = try KeyValueSnapshot.open(storage: MemoryStorage(contents: contents))
        #expect(snapshot.recoveryReport.ending == .torn(recordsBehind: 4))
    }

    /// A value of headers that each claim to begin a large record: what is read stays in proportion to the file.
    @Test func `a torn value full of headers does not take quadratic time`() throws {
        var value: [UInt8] = []
        while value.count < 4 << 20 {
            var header = Frame.encoded(.put, lsn: 9, unsyncedCount: 0, at: 0)
            header.replaceSubrange(20..<24, with: withUnsafeBytes(of: UInt32(1 << 21).littleEndian, Array.init))
            value += header + [UInt8](repeating: 7, count: 512 - header.count)
        }
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage)
        try store.put("k", value)
        try store.sync()
        var contents = try storage.contents()
        contents[Self.name]![SegmentHeader.sizeBytes] ^= 1
        contents[Self.name]!.removeLast(contents[Self.name]!.count - value.count)
        let counted = CountedStorage(try MemoryStorage(contents: contents))
        let snapshot = try KeyValueSnapshot.open(storage: counted)
        #expect(snapshot.recoveryReport.ending == .torn(recordsBehind: 0))
        #expect(counted.readBytes.withLock { $0 } < 64 * value.count)
    }

    @Test func `a record stores how far the log was durable`() {
        for (lsn, durable, expected) in [
            (1, 0, 0), (2, 0, 0), (2, 1, 1), (70_000, 69_999, 69_999), (70_000, 4465, 4465), (70_000, 4464, 0),
            (9, 9, 0),
        ] as [(UInt64, UInt64, UInt64)] {
            let count = Frame.unsyncedCount(lsn: lsn, durableLSN: durable)
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            let frame = Frame(
                type: .raw, lsn: lsn, unsyncedCount: count, offsetBytes: 0, key: nothing, payload: nothing)
            #expect(frame.durableLSN == expected, "\(lsn) at \(durable)")
        }
    }
}
