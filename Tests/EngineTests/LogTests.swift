import Bytes
import Model
import Storage
import Testing

@testable import Engine

@Suite struct LogTests {
    private let options = LogOptions(segmentSizeBytes: 4 << 10, zeroAheadBytes: 1 << 10, bufferSizeBytes: 4 << 10)

    /// A log of records "1", "2", … over several segments.
    private func filled(_ storage: some Storage, _ count: Int = 200, syncEvery: Int = .max) throws -> Log {
        let log = try Log.open(storage: storage, options: options)
        for number in 1...count {
            try log.append(record(number))
            if number % syncEvery == 0 { try log.sync() }
        }
        return log
    }

    private func record(_ number: Int) -> [UInt8] { bytes("\(number)") + [UInt8](repeating: 0x20, count: number % 90) }

    private func numbers(_ reader: consuming LogReader) throws -> [Int] {
        var numbers: [Int] = []
        while let found = try reader.next() {
            let number = Int(String(decoding: found.payload.prefix { $0 != 0x20 }, as: UTF8.self))!
            #expect(found.payload == record(number) && found.type == .raw)
            numbers.append(number)
        }
        return numbers
    }

    @Test func `records can be read from every LSN`() throws {
        let storage = MemoryStorage()
        let log = try filled(storage)
        #expect(storage.list().count > 3)
        for first in [0, 1, 2, 70, 100, 199, 200] {
            let expected = Array(max(first, 1)...200)
            #expect(try numbers(log.records(from: LSN(UInt64(first)))) == expected)
        }
        #expect(try numbers(log.records(from: LSN(201))) == [])
        try log.close()
        #expect(try numbers(LogReader.open(storage: storage, from: LSN(150))) == Array(150...200))
    }

    @Test func `a snapshot has the records appended before it`() throws {
        let storage = MemoryStorage()
        let log = try filled(storage, 10)
        var reader = try log.records()
        for number in 11...200 { try log.append(record(number)) }
        #expect(try numbers(reader) == Array(1...10))
        #expect(log.durableLSN < log.lastLSN && log.lastLSN == LSN(200))
        #expect(log.firstLSN == LSN(1))
        #expect(try log.appendAndSync(record(201)) == LSN(201))
        #expect(log.durableLSN == LSN(201))
        reader = try LogReader.open(storage: MemoryStorage(contents: storage.contents()))
        #expect(try numbers(reader) == Array(1...201), "a reader without the writer")
    }

    @Test func `rotate begins a segment unless the active one is empty`() throws {
        let storage = MemoryStorage()
        let log = try filled(storage, 3)
        try log.rotate()
        try log.rotate()
        #expect(storage.list().count == 2)
        try log.append(record(4))
        #expect(try numbers(log.records()) == [1, 2, 3, 4])
    }

    @Test(arguments: [0, 1, 36, 37, 100, 199, 200]) func `truncated records are gone`(_ last: Int) throws {
        let storage = MemoryStorage()
        let log = try filled(storage)
        try log.truncate(after: LSN(UInt64(last)))
        let kept = last == 0 ? [] : Array(1...last)
        #expect(try numbers(log.records()) == kept)
        #expect(log.lastLSN == LSN(UInt64(last)) && log.durableLSN == log.lastLSN)
        let crashed = try LogReader.open(storage: MemoryStorage(contents: storage.contents()))
        #expect(try numbers(crashed) == kept, "it is durable at once")
        for number in last + 1...last + 50 { #expect(try log.append(record(number)) == LSN(UInt64(number))) }
        try log.sync()
        #expect(try numbers(log.records()) == Array(1...last + 50))
        try log.close()
        let again = try Log.open(storage: storage, options: options)
        #expect(try numbers(again.records()) == Array(1...last + 50))
        #expect(again.recoveryReport.bytesDiscarded == 0)
    }

    @Test func `a truncation refuses an LSN that is not in the log`() throws {
        let storage = MemoryStorage()
        let log = try filled(storage)
        try log.truncate(after: LSN(500))
        #expect(log.lastLSN == LSN(200), "nothing lies after it")
        try log.truncate(before: LSN(100))
        #expect(throws: EngineError.noSuchRecord(LSN(1))) { try log.truncate(after: LSN(1)) }
        #expect(throws: EngineError.noSuchRecord(LSN(500))) { try log.sync(through: LSN(500)) }
        #expect(try log.append(record(201)) == LSN(201), "a refusal changes nothing")
    }

    @Test func `a batch cannot be split`() throws {
        let storage = MemoryStorage()
        let store = try open(storage)
        var batch = WriteBatch()
        for index in 0..<3 { batch.put(ByteString("\(index)"), []) }
        try store.put("before", [])
        try store.commit(batch)
        try store.close()
        let log = try Log.open(storage: storage, options: options)
        for lsn in 2...4 {
            #expect(throws: EngineError.withinBatch(LSN(UInt64(lsn)))) { try log.truncate(after: LSN(UInt64(lsn))) }
        }
        try log.truncate(after: LSN(1))
        try log.close()
        #expect(try open(storage).keys == ["before"])
    }

    @Test func `truncation frees whole segments before an LSN`() throws {
        let storage = MemoryStorage()
        let log = try filled(storage)
        let files = storage.list().count
        #expect(try log.truncate(before: LSN(1)) == 0)
        let removed = try log.truncate(before: LSN(120))
        #expect(removed > 0 && storage.list().count == files - removed)
        #expect(log.firstLSN <= LSN(120) && log.firstLSN > LSN(1))
        let first = Int(log.firstLSN.rawValue)
        #expect(try numbers(log.records()) == Array(first...200))
        #expect(try numbers(log.records(from: LSN(5))) == Array(first...200))
        #expect(try log.truncate(before: LSN(10_000)) > 0)
        #expect(storage.list().count == 1, "the active segment stays")
        try log.append(record(201))
        try log.close()
        #expect(try Log.open(storage: storage, options: options).lastLSN == LSN(201))
    }

    /// More records than the ring has slots, in fewer bytes than it has.
    @Test func `the smallest records find their slots`() throws {
        let log = try Log.open(storage: MemoryStorage(), options: options)
        for _ in 0..<1000 { try log.append([]) }
        try log.sync()
        var reader = try log.records()
        for number in 1...1000 { #expect(try reader.next()?.lsn == LSN(UInt64(number))) }
        #expect(try reader.next() == nil)
    }

    /// A key of one byte too many, otherwise whole: too large to be a fixture.
    @Test func `an oversize key is not a record even with a correct checksum`() throws {
        let header = SegmentHeader(name: SegmentName(shard: 0, sequence: 1), baseLSN: 1).encoded
        for (size, isRecord) in [(LogLimits.keySizeBytes, true), (LogLimits.keySizeBytes + 1, false)] {
            let key = [UInt8](repeating: 1, count: size)
            let frame = Frame.encoded(
                .put, lsn: 1, unsyncedCount: 0, at: UInt32(header.count), key: key, payload: [2])
            let storage = try MemoryStorage(contents: ["0000-0000000001.log": header + frame])
            #expect(try open(storage).count == (isRecord ? 1 : 0))
        }
    }

    /// A crash at any point of a truncation leaves a log without a gap, and no less than was asked to stay.
    @Test(arguments: [Profile.kill, .strict, .ext4Ordered, .posixMin], [false, true])
    func `a crash during a truncation leaves no gap`(_ profile: Profile, _ isAfter: Bool) throws {
        let recording = try RecordingStorage(MemoryStorage())
        let log = try filled(recording, syncEvery: 3)
        try log.sync()
        let start = recording.eventCount
        if isAfter { try log.truncate(after: LSN(30)) } else { try log.truncate(before: LSN(150)) }
        var pending = PendingSet(profile: profile, base: recording.base)
        for (index, event) in recording.events.enumerated() {
            pending.add(event)
            guard index >= start else { continue }
            for choice in [Choice.nothing, .everything] + (0..<12).map({ Choice.seeded($0) }) {
                let tree = pending.tree(pending.survivors(choice))
                let found = try numbers(
                    LogReader.open(storage: MemoryStorage(tree, payloads: recording.payloads)))
                let (first, last) = (try #require(found.first), try #require(found.last))
                #expect(found == Array(first...last))
                #expect(isAfter ? first == 1 && last >= 30 : first <= 150 && last == 200)
                // Records are missing that others knew to be durable, and that is no damage: it opens.
                let left = try MemoryStorage(tree, payloads: recording.payloads)
                #expect(try Log.open(storage: left, options: options).lastLSN == LSN(UInt64(last)))
            }
        }
        let left = try MemoryStorage(pending.tree(pending.survivors(.nothing)), payloads: recording.payloads)
        #expect(try numbers(LogReader.open(storage: left)) == numbers(log.records()), "it is durable at once")
    }

    /// The truncation comes between the append and its sync: nobody will ever append again.
    @Test func `a sync after the truncation of its record returns`() throws {
        let log = try filled(MemoryStorage(), 100)
        let last = try log.append([0x31])
        try log.truncate(after: LSN(50))
        try log.core.sync(through: last.rawValue)
        try log.core.writeOut(through: last.rawValue)
        #expect(log.durableLSN == LSN(50))
    }

    @Test func `a sync of a truncated record returns`() throws {
        let log = try filled(MemoryStorage(), 100)
        try inParallel(4) { index in
            for round in 0..<50 {
                if index == 0 {
                    try log.truncate(after: LSN(UInt64(50 + round)))
                } else {
                    try log.appendAndSync([UInt8](repeating: 0x31, count: round))
                }
            }
        }
        try log.sync()
        #expect(log.durableLSN == log.lastLSN)
    }

    @Test func `invalid options are refused`() {
        for options in [
            LogOptions(segmentSizeBytes: 100), LogOptions(segmentSizeBytes: 2 << 30), LogOptions(zeroAheadBytes: -1),
            LogOptions(bufferSizeBytes: 5000), LogOptions(bufferSizeBytes: 0),
        ] {
            #expect(throws: EngineError.self) { try Log.open(storage: MemoryStorage(), options: options) }
        }
        #expect(throws: EngineError.self) { try Log.open(storage: MemoryStorage(), shard: 10_000) }
    }
}
