import Bytes
import Engine
import Model
import Storage
import Testing

/// The engine on a storage with fault rules: it refuses with an error or survives, and never silently loses acknowledged data.
/// `#` in a rule stands for a number that rises with the run, so that the fault comes at many places.
@Suite struct FaultRuleTests {
    /// Reported faults: all acknowledged data must be there after the fault is removed and the store reopened.
    static let honest = [
        "write path=*.log nth=# -> EIO", "write path=*.log nth=# -> ENOSPC", "write path=*.log p=1/9 -> short 100",
        "write path=*.log every=3 -> EINTR", "fdatasync path=*.log nth=# -> EIO", "fsync path=*.log nth=# -> EIO lose",
        "fsync path=*.log nth=# -> EIO lose xfs", "fsync path=*.log nth=# -> EIO lose btrfs",
        "fsync path=*.log nth=# -> EIO lose ext4-journal", "fsyncdir nth=# -> EIO", "create nth=# -> ENOSPC",
        "unlink nth=# -> EACCES", "allocate nth=# -> ENOSPC", "any path=*.log -> quota 12KiB",
        "fsync path=*.log p=1/5 -> delay 5ms", "open nth=# -> EMFILE", "truncate nth=# -> EIO",
    ]

    /// Silent faults: acknowledged data may be lost, but no value is returned that the key never had.
    static let lying = [
        "write path=*.log nth=# -> tear 512", "write path=*.log nth=# -> drop", "write path=*.log nth=# -> misdirect",
        "write path=*.log p=1/9 -> reorder", "fsync path=*.log p=1/3 -> lie", "read path=*.log nth=# -> bitflip",
        "read path=*.log nth=# -> bitflip at-rest", "read path=*.log p=1/5 -> stale",
    ]

    @Test(arguments: honest) func `acknowledged data survives a fault that is reported`(_ text: String) throws {
        var fired = 0
        for round in 0..<24 as Range<UInt64> {
            var run = try FaultyLife(text, round: round)
            try run.work()
            fired += run.faultCount
            let store = try run.reopenWithoutFaults()
            for (key, allowed) in run.allowed {
                let value = try store.get(key)
                #expect(allowed.contains(value), "\(run.rule), round \(round): \(key) shows \(describe(value))")
            }
            #expect(Set(store.keys).isSubset(of: Set(run.allowed.keys)), "\(run.rule), round \(round): extra keys")
            // It works again.
            try store.sync(through: store.put("after", [1]))
            #expect(try store.get("after") == [1])
            try store.close()
        }
        #expect(fired > 0, "\(text) never fired: nothing was tested")
    }

    @Test(arguments: lying) func `no wrong value is returned after a silent fault`(_ text: String) throws {
        var (fired, shown) = (0, 0)
        for round in 0..<24 as Range<UInt64> {
            var run = try FaultyLife(text, round: round)
            try run.work()
            fired += run.faultCount
            // Refusing to open or to return a value is an error, which is allowed.
            guard let store = try? run.reopenWithoutFaults() else { continue }
            for key in store.keys {
                guard let value = try? store.get(key) else { continue }
                shown += 1
                #expect(run.history[key]?.contains(value) == true, "\(run.rule), round \(round): \(key) is invented")
            }
            try? store.close()
        }
        #expect(fired > 0, "\(text) never fired: nothing was tested")
        #expect(shown > 0, "nothing was ever read back")
    }

    /// The check above can fail: a store that ignores a failed sync acknowledges data that the disk has lost.
    @Test func `a store that ignores a failed sync is caught`() throws {
        var caught = 0
        for round in 0..<24 as Range<UInt64> {
            var run = try FaultyLife("fsync path=*.log nth=# -> EIO lose", round: round)
            run.ignoresFailedSyncs = true
            // One life: a reopen finds the record in the cache and writes it again.
            try run.work(lives: 1)
            let store = try run.reopenWithoutFaults()
            if try run.allowed.contains(where: { key, values in !values.contains(try store.get(key)) }) { caught += 1 }
            try store.close()
        }
        #expect(caught > 0)
    }

    private func describe(_ value: [UInt8]?) -> String { value.map { "\($0.count) bytes \($0.prefix(3))" } ?? "no key" }
}

/// One life of a store on a faulty storage in memory, and what it acknowledged.
private struct FaultyLife {
    let rule: String
    private let round: UInt64
    private let storage: FaultyStorage<RuleSet>
    /// The legal values of each key: the last acknowledged one, and every later request.
    private(set) var allowed: [ByteString: [[UInt8]?]] = [:]
    /// Every value that a key was ever asked to have.
    private(set) var history: [ByteString: Set<[UInt8]>] = [:]
    /// Whether the caller ignores errors of syncs, like a buggy program.
    var ignoresFailedSyncs = false

    private static let options = KeyValueOptions(
        log: LogOptions(segmentSizeBytes: 8 << 10, zeroAheadBytes: 4 << 10, bufferSizeBytes: 16 << 10))

    init(_ text: String, round: UInt64) throws {
        rule = text.replacing("#", with: "\(1 + round)")
        self.round = round
        storage = FaultyStorage(MemoryStorage(), RuleSet([try Rule(parsing: rule)], seed: round)) { _ in }
    }

    var faultCount: Int { storage.injected.count }

    /// Puts, deletes and compacts, with a sync after each, until it is done or the store is poisoned; then once more
    /// after a reopen, still under the rule.
    mutating func work(lives: UInt64 = 2) throws {
        for life in 0..<lives {
            guard let store = try? KeyValueStore.open(storage: storage, options: FaultyLife.options) else { continue }
            var random = RandomStream(seed: round).stream(life)
            for step in 0..<60 as Range<UInt64> {
                let key = ByteString("k\(random.next(upperBound: 12 as UInt64))")
                let isDelete = step % 9 == 8
                let size = Int(random.next(upperBound: 900 as UInt64))
                let value: [UInt8]? =
                    isDelete ? nil : Array("\(life) \(step) ".utf8) + [UInt8](repeating: UInt8(step), count: size)
                guard apply(value, to: key, on: store) else { break }
                if step % 20 == 19 { _ = try? store.compact() }
                _ = try? store.get(key)
            }
            try? store.close()
        }
    }

    /// False when the store refused.
    private mutating func apply(_ value: [UInt8]?, to key: ByteString, on store: KeyValueStore) -> Bool {
        allowed[key, default: [nil]].append(value)
        if let value { history[key, default: []].insert(value) }
        do {
            let lsn = try value.map { try store.put(key, $0) } ?? store.delete(key)
            do { try store.sync(through: lsn) } catch { guard ignoresFailedSyncs else { throw error } }
        } catch {
            return false
        }
        allowed[key] = [value]
        return true
    }

    /// Removes the fault and the kernel's cache, and opens the store again.
    func reopenWithoutFaults() throws -> KeyValueStore {
        storage.withFaults { $0 = RuleSet([], seed: 0) }
        try storage.dropCleanPages()
        return try KeyValueStore.open(storage: storage, options: FaultyLife.options)
    }
}
