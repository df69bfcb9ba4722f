import Bytes
import Platform
import Storage
import Testing

@testable import Engine

/// Many writers and many syncs at once. CI runs these under the thread sanitizer too.
@Suite struct ConcurrencyTests {
    private static func log<C: Coordination>(
        _ storage: some Storage, _ options: LogOptions, _: C.Type = SystemCoordination.self
    ) throws -> LogCore<C, NoHooks> {
        try LogCore(storage: storage, options: options, recovered: RecoveredLog(shard: 0), hooks: NoHooks())
    }

    /// Tiny segments and a tiny ring, so that writers race at every boundary; and large ones.
    static let sizes = [
        LogOptions(segmentSizeBytes: 4 << 10, zeroAheadBytes: 512, bufferSizeBytes: 4 << 10),
        LogOptions(segmentSizeBytes: 32 << 10, zeroAheadBytes: 0, bufferSizeBytes: 4 << 10),
        LogOptions(segmentSizeBytes: 1 << 20, bufferSizeBytes: 1 << 20),
    ]

    private struct Record: Hashable {
        var lsn: UInt64
        var place: Place
        var key: [UInt8]
        var payload: [UInt8]
    }

    @Test(arguments: sizes) func `records of eight writers are all there and do not overlap`(_ options: LogOptions)
        throws
    {
        try eightWriters(options, SystemCoordination.self)
        try eightWriters(options, RestlessCoordination.self)
    }

    private func eightWriters<C: Coordination>(_ options: LogOptions, _ coordination: C.Type) throws {
        let storage = MemoryStorage()
        let log = try Self.log(storage, options, coordination)
        let written = Guarded<Set<Record>>([])
        try inParallel(8) { writer in
            var own: [Record] = []
            for index in 0..<1000 {
                let key = Array("\(writer)/\(index)".utf8)
                // Now and then a record that is larger than the ring and the segment.
                let size = index % 250 == 249 ? 9000 : (index * 7 + writer) % 200
                let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size)
                let place = try log.append(.put, key, payload)
                own.append(Record(lsn: place.lsn, place: place, key: key, payload: payload))
                if index % 300 == 0 { try log.sync() }
            }
            written.withLock { $0.formUnion(own) }
        }
        try log.close()
        var found: Set<Record> = []
        let recovered = try RecoveredLog(storage, shard: 0, policy: .refuse, hooks: NoHooks()) { (frame, name) in
            let place = Place(lsn: frame.lsn, sequence: name.sequence, offsetBytes: frame.offsetBytes)
            found.insert(
                Record(lsn: frame.lsn, place: place, key: Array(frame.key), payload: Array(frame.payload)))
        }
        #expect(recovered.report.recordsReplayed == 8000)
        #expect(recovered.report.lastLSN == LSN(8000))
        #expect(found == written.withLock { $0 })
    }

    /// Truncations run concurrently with syncs; each sync returns, and the log continues.
    @Test func `syncs with concurrent truncations return`() throws {
        let log = try Self.log(MemoryStorage(), Self.sizes[0], RestlessCoordination.self)
        for index in 0..<100 { _ = try log.append(.raw, [], [UInt8(index)]) }
        try inParallel(4) { index in
            for round in 0..<50 {
                if index == 0 {
                    try log.truncate(after: UInt64(50 + round))
                } else {
                    try log.sync(through: log.append(.raw, [], [UInt8](repeating: 0x31, count: round)).lsn)
                }
            }
        }
        try log.sync()
        #expect(log.durableLSN == log.lastLSN)
    }

    /// Records how far each segment was written when its last sync began, which is what the sync made durable.
    private final class DurableEnds: StorageInterposer {
        private let state = Guarded((written: [ByteString: Int](), durable: [ByteString: Int](), syncs: 0))
        private let file: MemoryStorage

        init(_ file: MemoryStorage) { self.file = file }

        func interpose(
            _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
        ) throws(StorageError) {
            guard call == .sync else { return try proceed() }
            let content = try file.open(name).contents()
            try proceed()
            let end = (content.lastIndex { $0 != 0 } ?? -1) + 1
            state.withLock {
                $0.syncs += 1
                $0.durable[name] = max(end, $0.durable[name] ?? 0)
            }
        }

        var syncs: Int { state.withLock { $0.syncs } }
        func durableEnd(_ name: ByteString) -> Int { state.withLock { $0.durable[name] ?? 0 } }
    }

    @Test func `syncs are grouped, and each returns only when its record is durable`() throws {
        let memory = MemoryStorage()
        let ends = DurableEnds(memory)
        let log = try Self.log(
            InterposedStorage(memory, ends), LogOptions(segmentSizeBytes: 16 << 10, bufferSizeBytes: 4 << 10))
        let before = ends.syncs
        try inParallel(8) { writer in
            for index in 0..<50 {
                // The last byte of a record is its checksum's, which may be zero: look at the one before.
                let place = try log.append(.put, Array("\(writer)/\(index)".utf8), [0xFF, 0xFF, 0xFF])
                try log.sync(through: place.lsn)
                let name = SegmentName(shard: 0, sequence: place.sequence).fileName
                #expect(ends.durableEnd(name) >= Int(place.offsetBytes) + 24 + 3)
            }
        }
        #expect(log.durableLSN == 400)
        #expect(ends.syncs > before && ends.syncs - before <= 400 + 2 * memory.list().count)
    }

    /// One thread's sync is held. One more sync covers all records that seven others append meanwhile.
    @Test func `syncs of many threads share one fsync`() throws {
        let held = HeldSync(fails: false)
        let log = try Self.log(InterposedStorage(MemoryStorage(), held), LogOptions())
        held.isArmed.withLock { $0 = true }
        try appendAndSync(eight: log, held)
        #expect(log.durableLSN == 8)
        #expect(held.count == 2)
        try log.sync()
        #expect(held.count == 2, "nothing new, no sync")
    }

    /// The same, but the sync fails: the waiting threads get the error too.
    @Test func `a failed sync is reported to all waiting threads`() throws {
        let held = HeldSync(fails: true)
        let log = try Self.log(InterposedStorage(MemoryStorage(), held), LogOptions())
        held.isArmed.withLock { $0 = true }
        let failed = Guarded(0)
        try appendAndSync(eight: log, held) { _ in failed.withLock { $0 += 1 } }
        #expect(failed.withLock { $0 } == 8)
        #expect(held.count == 1)
    }

    /// A thread appends and syncs and is held there; seven more append and sync; then the first is let go.
    private func appendAndSync(
        eight log: LogCore<SystemCoordination, NoHooks>, _ held: HeldSync,
        onFailure: @escaping @Sendable (any Error) throws -> Void = { throw $0 }
    ) throws {
        try inParallel(9) { index in
            if index == 8 {
                while log.lastLSN < 8 { usleepMilliseconds(1) }
                return held.release()
            }
            if index > 0 { held.waitUntilHeld() }
            let place = try log.append(.put, [UInt8(index)], [])
            do { try log.sync(through: place.lsn) } catch { try onFailure(error) }
        }
    }

    @Test func `concurrent writers and readers agree with the log`() throws {
        let storage = MemoryStorage()
        let store = try open(storage)
        try inParallel(8) { writer in
            for index in 0..<300 {
                let key = ByteString("k\(index % 13)")
                switch (index + writer) % 5 {
                case 0: try store.delete(key)
                case 1:
                    var batch = WriteBatch()
                    batch.put(key, [UInt8(writer)])
                    batch.put("k1", [UInt8(writer), 2])
                    try store.commit(batch)
                case 2: _ = try store.get(key)
                default: try store.put(key, [UInt8](repeating: UInt8(writer), count: index % 90))
                }
            }
        }
        try store.sync()
        #expect(try reopen(storage).dump() == store.dump())
    }

    /// The last write of a key in the log is also the last one in the directory.
    @Test func `concurrent writers of one key agree with the log on the last value`() throws {
        for _ in 0..<10 {
            let storage = MemoryStorage()
            let store = try open(storage)
            try inParallel(4) { writer in
                for index in 0..<400 {
                    if (index + writer) % 3 == 0 { try store.delete("k") } else { try store.put("k", [UInt8(writer)]) }
                }
            }
            try store.sync()
            #expect(try reopen(storage).dump() == store.dump())
        }
    }

    @Test func `closing with concurrent writers loses no acknowledged record`() throws {
        let storage = MemoryStorage()
        let store = try open(storage)
        let acknowledged = Guarded<[ByteString]>([])
        try inParallel(5) { writer in
            if writer == 4 {
                while acknowledged.withLock({ $0.count < 40 }) {}
                return try store.close()
            }
            for index in 0..<10_000 {
                let key = ByteString("\(writer)/\(index)")
                do throws(EngineError) {
                    try store.put(key, [1])
                    try store.sync()
                } catch {
                    #expect(error == .closed)
                    return
                }
                acknowledged.withLock { $0.append(key) }
            }
        }
        let found = try open(storage).dump()
        #expect(acknowledged.withLock { $0 }.allSatisfy { found[$0] != nil })
    }
}

extension LogCore {
    func append(_ type: RecordType, _ key: [UInt8], _ payload: [UInt8]) throws(EngineError) -> Place {
        try key.withUnsafeBufferPointer { (key) throws(EngineError) in
            try payload.withUnsafeBufferPointer { (payload) throws(EngineError) in
                try append(type, key: UnsafeRawBufferPointer(key), payload: UnsafeRawBufferPointer(payload))
            }
        }
    }
}
