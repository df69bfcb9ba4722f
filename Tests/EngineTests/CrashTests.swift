import Bytes
import Model
import Storage
import Testing

@testable import Engine

/// Crashes that the model derives from a recorded run, and crashes at every byte.
@Suite struct CrashTests {
    @Test(arguments: Profile.allCases) func `a mixed workload survives every profile`(_ profile: Profile) throws {
        let run = try RecordedRun.mixed()
        var recovered = 0
        let findings = try run.explore(profile, seeds: 0..<6, recovered: &recovered)
        #expect(findings.isEmpty, "\(findings.prefix(3))")
        #expect(recovered > 70)
    }

    /// After a crash during recovery, the next recovery gives the same result.
    @Test(arguments: [Profile.strict, .ext4Ordered, .posixMin])
    func `a crash during recovery changes nothing`(_ profile: Profile) throws {
        let run = try RecordedRun.mixed()
        var pending = PendingSet(profile: profile, base: run.storage.base)
        var recovered = 0
        for (index, event) in run.storage.events.enumerated() {
            pending.add(event)
            guard index % 9 == 8 else { continue }
            let tree = pending.tree(pending.survivors(.seeded(UInt64(index))))
            let first = try MemoryStorage(tree, payloads: run.storage.payloads)
            let dump = try open(try MemoryStorage(contents: first.contents())).dump()
            let recovery = try RecordedRun(on: first.contents(), initially: dump)
            let store = try open(recovery.storage)
            try recovery.step {
                $0["after"] = [1]
            } by: {
                try store.put("after", [1])
            }
            try store.sync()
            recovery.acknowledge()
            let findings = try recovery.explore(profile, seeds: 0..<2, recovered: &recovered)
            #expect(findings.isEmpty, "after event \(index + 1): \(findings.prefix(3))")
        }
        #expect(recovered > 50)
    }

    /// The records of a synced store's last segment, as ends in bytes and the state after each.
    private func lastSegment() throws -> (contents: [UInt8], ends: [Int: RecordedRun.State]) {
        let storage = MemoryStorage()
        let store = try open(storage)
        var state: RecordedRun.State = [:]
        var ends = [SegmentHeader.sizeBytes: state]
        var end = SegmentHeader.sizeBytes
        for (index, size) in [0, 1, 30, 500, 3, 700, 12].enumerated() {
            let (key, value) = (ByteString("k\(index)"), [UInt8](repeating: 0xA5, count: size))
            try store.put(key, value)
            state[key] = value
            end += Frame.size(keyCount: key.count, payloadCount: size)
            ends[end] = state
        }
        var batch = WriteBatch()
        batch.put("b", [1, 2, 3])
        batch.delete("k1")
        try store.commit(batch)
        (state["b"], state["k1"]) = ([1, 2, 3], nil)
        end += batch.parts.reduce(0) { $0 + $1.frameSizeBytes } + Frame.size(keyCount: 0, payloadCount: 4)
        ends[end] = state
        try store.sync()
        let contents = try #require(try storage.contents()["0000-0000000001.log"])
        #expect(contents[..<end].last != 0 && contents[end...].allSatisfy { $0 == 0 })
        return (Array(contents[..<end]), ends)
    }

    /// The bytes after the cut: none, unused space, or other bytes.
    enum Rest: CaseIterable { case nothing, zeros, garbage }

    @Test(arguments: Rest.allCases) func `a log cut off at any byte keeps the whole records before it`(_ rest: Rest)
        throws
    {
        let (contents, ends) = try lastSegment()
        for cut in 0...contents.count {
            var damaged = Array(contents[..<cut])
            switch rest {
            case .nothing: break
            case .zeros: damaged += [UInt8](repeating: 0, count: 300)
            case .garbage: damaged += [UInt8](repeating: 0xC7, count: 300)
            }
            let storage = try MemoryStorage(contents: ["0000-0000000001.log": damaged])
            let expected = ends.filter { $0.key <= cut }.max { $0.key < $1.key }?.value ?? [:]
            if rest == .garbage, cut < SegmentHeader.sizeBytes {
                // A header is durable before anything follows it: no crash does that.
                #expect(throws: EngineError.self) { try open(storage) }
                continue
            }
            let store = try open(storage)
            #expect(try store.dump() == expected, "cut at \(cut)")
        }
    }

    /// A write that lost one of its sectors, at every sector of the segment.
    @Test(arguments: [64, 512], [0, 1 << 10])
    func `a lost sector ends the log before it`(_ sectorBytes: Int, _ zeroAheadBytes: Int) throws {
        var options = small
        options.log.zeroAheadBytes = zeroAheadBytes
        let (contents, ends) = try lastSegment()
        for start in stride(from: 0, to: contents.count, by: sectorBytes) where start > 0 {
            var damaged = contents
            for index in start..<min(start + sectorBytes, contents.count) { damaged[index] = 0 }
            let storage = try MemoryStorage(contents: ["0000-0000000001.log": damaged])
            let store = try open(storage, options)
            let expected = ends.filter { $0.key <= start }.max { $0.key < $1.key }!.value
            #expect(try store.dump() == expected, "lost at \(start)")
            // The records after the gap stay removed, also when the gap is filled with a record of the same length.
            try store.put("new", [UInt8](repeating: 1, count: 500))
            try store.sync()
            let again = try reopen(storage)
            #expect(try again.dump() == store.dump(), "lost at \(start)")
        }
    }
}
