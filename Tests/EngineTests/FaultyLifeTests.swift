import Bytes
import Model
import Storage
import Testing

@testable import Engine

/// Long runs with many reopens and a power cut at the end, on a storage with fault rules. The store refuses with an error or
/// survives, never silently loses acknowledged data, and returns only written values.
@Suite struct FaultyLifeTests {
    /// Reported faults and delays: no acknowledged data may be lost.
    static let honest = [
        "write path=*.log nth=7 -> EIO", "write every=11 -> EIO", "write path=** after=6KiB -> ENOSPC",
        "any path=** -> quota 12KiB", "write every=3 -> short 20", "write nth=9 -> short 0", "read every=4 -> short 11",
        "write p=1/3 -> EINTR", "fsync path=*.log nth=5 -> EIO", "fsync path=*.log nth=5 -> EIO lose",
        "fdatasync every=6 -> EIO lose btrfs",
        "fdatasync every=6 -> EIO lose xfs", "fsyncdir nth=2 -> EIO", "fsyncdir every=2 -> EIO",
        "create nth=2 -> EMFILE",
        "open every=3 -> EIO", "allocate nth=2 -> ENOSPC", "truncate nth=1 -> EIO", "unlink nth=1 -> EIO",
        "readdir every=2 -> EIO", "getattr every=5 -> EIO", "lock nth=2 -> EIO", "read every=7 -> bitflip",
        "read nth=3 -> bitflip", "read every=5 -> stale", "fsync -> delay 1ms",
    ]

    /// Silent faults: lost data must at least be reported.
    static let dishonest = [
        "write path=*.log after-fsync=5 size=600..700 -> tear 512", "write after-fsync=5 nth=2 -> drop",
        "write path=*.log after-fsync=3 nth=4 -> misdirect", "read every=6 -> bitflip at-rest",
        "write p=1/9 -> reorder",
        // The sync that loses the data returns 0; the next one fails.
        "fdatasync every=6 -> EIO lose ext4-journal",
    ]

    /// What was asked of the store: each value of each key, and which of them it acknowledged last.
    private struct History {
        var values: [ByteString: [[UInt8]?]] = [:]
        var acknowledged: [ByteString: Int] = [:]

        /// What was asked of the store that is open now, and not acknowledged yet.
        private var open: [ByteString: Int] = [:]

        mutating func attempt(_ key: ByteString, _ value: [UInt8]?) {
            values[key, default: [nil]].append(value)
            open[key] = values[key]!.count - 1
        }

        mutating func acknowledge() {
            acknowledged.merge(open) { $1 }
            open = [:]
        }

        /// The store was opened again: what was in flight is there or not.
        mutating func restart() { open = [:] }

        /// An opened store returns only durable data, and lost data does not come back.
        mutating func settle(_ key: ByteString, _ found: [UInt8]?) {
            guard let index = values[key]?.lastIndex(of: found) else { return }
            values[key]!.removeSubrange((index + 1)...)
            acknowledged[key] = index
        }

        /// What is wrong with a value that was found. One that has `isExcused` a loss may be older than what was
        /// acknowledged, but never one that was not written.
        func objection(_ key: ByteString, _ found: [UInt8]?, isExcused: Bool) -> String? {
            let least = isExcused ? 0 : acknowledged[key] ?? 0
            let known = values[key] ?? [nil]
            if known[least...].contains(found) { return nil }
            return known.contains(found)
                ? "\(key) fell back behind what was acknowledged" : "\(key) has a foreign value"
        }
    }

    private struct Run {
        var history = History()
        var refusals = 0
        /// A recovery dropped something, and said so.
        var wasTold = false
        var objections: [String] = []
    }

    /// Puts, deletes, batches, compactions and reads; after every refusal the store is opened again and used on.
    private func work(_ storage: some Storage, seed: UInt64) -> Run {
        var run = Run()
        var random = RandomStream(seed: seed)
        var store: KeyValueStore?
        for step in 0..<150 {
            if store == nil {
                store = try? open(storage)
                guard let opened = store else {
                    run.refusals += 1
                    continue
                }
                if opened.recoveryReport.bytesDiscarded > 0 { run.wasTold = true }
                run.history.restart()
                check(opened, &run, isFirst: true)
            }
            guard let current = store else { continue }
            do {
                if step % 12 == 11 {
                    // Now and then it is left as a crash leaves it.
                    if step % 24 == 11 { try current.close() }
                    store = nil
                    continue
                }
                try self.step(step, current, &run, &random)
            } catch {
                run.refusals += 1
                try? current.close()
                store = nil
            }
        }
        try? store?.close()
        return run
    }

    private func step(
        _ step: Int, _ store: KeyValueStore, _ run: inout Run, _ random: inout RandomStream
    ) throws {
        let key = ByteString("k\(UInt64.random(in: 0..<9, using: &random))")
        let value = [UInt8](repeating: UInt8(step), count: Int.random(in: 0...700, using: &random))
        switch step % 10 {
        case 3:
            run.history.attempt(key, nil)
            try store.delete(key)
        case 6:
            var batch = WriteBatch()
            for part in [key, "other"] {
                run.history.attempt(part, value)
                batch.put(part, value)
            }
            try store.commit(batch)
        case 8:
            if step % 40 == 38 { try store.compact() }
            check(store, &run)
            return
        default:
            run.history.attempt(key, value)
            try store.put(key, value)
        }
        try store.sync()
        run.history.acknowledge()
    }

    private func check(_ store: KeyValueStore, _ run: inout Run, isFirst: Bool = false) {
        for key in run.history.values.keys {
            // A read that fails says so.
            guard let found = try? store.get(key) as [UInt8]?? else { continue }
            if let objection = run.history.objection(key, found, isExcused: run.wasTold) {
                run.objections.append(objection)
            }
            if isFirst { run.history.settle(key, found) }
        }
    }

    @Test(arguments: honest, 0..<4 as Range<UInt64>)
    func `acknowledged data stays`(_ rule: String, _ seed: UInt64) throws {
        let memory = MemoryStorage()
        let recording = try RecordingStorage(memory)
        let faulty = FaultyStorage(recording, RuleSet([try Rule(parsing: rule)], seed: seed))
        let run = work(faulty, seed: seed)
        #expect(!faulty.injected.isEmpty, "the rule never fired")
        #expect(run.objections.isEmpty, "seed \(seed): \(run.objections.prefix(3))")
        // Memory pressure, then a machine without faults; and a power cut.
        try faulty.dropCleanPages()
        var pending = PendingSet(profile: .ext4Ordered, base: recording.base)
        for event in recording.events { pending.add(event) }
        let cut = pending.tree(pending.survivors(.nothing))
        for left in [
            try MemoryStorage(contents: memory.contents()), try MemoryStorage(cut, payloads: recording.payloads),
        ] {
            let store = try open(left)
            for key in run.history.values.keys {
                let objection = run.history.objection(key, try store.get(key), isExcused: false)
                #expect(objection == nil, "seed \(seed)")
            }
        }
    }

    @Test(arguments: dishonest, 0..<4 as Range<UInt64>)
    func `lost data is reported`(_ rule: String, _ seed: UInt64) throws {
        let memory = MemoryStorage()
        let faulty = FaultyStorage(memory, RuleSet([try Rule(parsing: rule)], seed: seed))
        let run = work(faulty, seed: seed)
        #expect(!faulty.injected.isEmpty, "the rule never fired")
        #expect(run.objections.isEmpty, "seed \(seed): \(run.objections.prefix(3))")
        // Opening may refuse, which is loud.
        guard let store = try? open(memory) else { return }
        let wasTold = run.wasTold || store.recoveryReport.bytesDiscarded > 0
        for key in run.history.values.keys {
            guard let found = try? store.get(key) as [UInt8]?? else { continue }
            let objection = run.history.objection(key, found, isExcused: wasTold)
            #expect(objection == nil, "seed \(seed)")
        }
    }

    /// A lying sync shows only after a power cut: the tail is silently lost, and a prefix stays.
    @Test(arguments: 0..<8 as Range<UInt64>) func `a lying sync costs only the tail`(_ seed: UInt64) throws {
        let recording = try RecordingStorage(MemoryStorage())
        let faulty = FaultyStorage(recording, RuleSet([try Rule(parsing: "fdatasync p=1/4 -> lie")], seed: seed))
        let run = work(faulty, seed: seed)
        #expect(run.objections.isEmpty)
        var pending = PendingSet(profile: .strict, base: recording.base)
        for event in recording.events { pending.add(event) }
        let cut = try MemoryStorage(pending.tree(pending.survivors(.nothing)), payloads: recording.payloads)
        let store = try open(cut)
        for key in run.history.values.keys {
            let objection = run.history.objection(key, try store.get(key), isExcused: true)
            #expect(objection == nil)
        }
    }

    /// Space runs out and comes back: the log stays readable, and writable after a reopen.
    @Test func `a store on a full disk can be read, and written once there is space`() throws {
        let memory = MemoryStorage()
        let faulty = FaultyStorage(memory, RuleSet([try Rule(parsing: "any path=** -> quota 20KiB")], seed: 1))
        let store = try open(faulty)
        var kept = 0
        do {
            for index in 0..<1000 {
                try store.put(ByteString("k\(index)"), [UInt8](repeating: 1, count: 200))
                try store.sync()
                kept = index + 1
            }
            Issue.record("the disk never filled")
        } catch {
            #expect("\(error)".contains("No space left"))
        }
        #expect(kept > 10)
        for index in 0..<kept { #expect(try store.get(ByteString("k\(index)")) != nil) }
        try? store.close()
        let readable = try KeyValueSnapshot.open(storage: faulty)
        #expect(readable.count >= kept)
        faulty.withFaults { $0 = RuleSet(seed: 1) }
        let again = try open(faulty)
        #expect(again.count >= kept)
        try again.put("more", [1])
        try again.sync()
        #expect(try reopen(memory).get("more") == [1])
    }
}
