import Bytes
import Model
import Testing

/// A run of attempts, with ids from 1.
final class Attempts {
    var rules: RuleSet
    private var nextID: UInt64 = 1

    init(_ texts: String..., seed: UInt64 = 1) throws {
        rules = RuleSet(try texts.map { try Rule(parsing: $0) }, seed: seed)
    }

    func decide(_ kind: OperationKind, _ path: ByteString = "a", _ change: (inout Attempt) -> Void = { _ in })
        -> Decisions
    {
        var attempt = Attempt(id: OperationID(nextID), kind)
        nextID += 1
        change(&attempt)
        return rules.decide(attempt, at: rules.match(path))
    }

    func fires(_ kind: OperationKind, _ path: ByteString = "a", _ change: (inout Attempt) -> Void = { _ in })
        -> Bool
    {
        !decide(kind, path, change).isEmpty
    }

    func fires(write count: UInt64, at offset: UInt64 = 0, _ path: ByteString = "a") -> Bool {
        fires(.write, path) {
            $0.offsetBytes = offset
            $0.countBytes = count
        }
    }
}

struct RuleSetTests {
    @Test func `nth= fires on one matching attempt`() throws {
        let run = try Attempts("write path=*.wal nth=3 -> EIO")
        #expect(run.rules.needs.kinds.contains(.write))
        #expect(!run.rules.needs.kinds.contains(.read))
        var fired: [Int] = []
        for index in 1...8 {
            #expect(!run.fires(.write, "a.db"))
            #expect(!run.fires(.read, "a.wal"))
            if run.fires(.write, index % 2 == 0 ? "a.wal" : "b.wal") { fired.append(index) }
        }
        #expect(fired == [3])
        let status = run.rules.status[0]
        #expect((status.matched, status.fired) == (8, 1))
        #expect(status.description == "1  matched 8  fired 1  write path=*.wal nth=3 -> EIO")
    }

    @Test func `every= fires on each n-th attempt`() throws {
        let run = try Attempts("read every=3 -> EIO")
        #expect((1...7).map { _ in run.fires(.read) } == [false, false, true, false, false, true, false])
    }

    @Test func `after= counts the requested bytes, including this attempt`() throws {
        let run = try Attempts("write after=100 -> ENOSPC")
        #expect(!run.fires(write: 60))
        #expect(!run.fires(write: 40))
        #expect(run.fires(write: 1))
        #expect(run.fires(write: 1))
    }

    @Test func `after-fsync= waits for barriers on matching paths`() throws {
        let run = try Attempts("write path=*.db after-fsync=2 nth=1 -> drop")
        #expect(!run.fires(write: 1, "a.db"))
        for path: ByteString in ["a.db", "other", "b.db"] {
            #expect(!run.fires(write: 1, "a.db"))
            #expect(!run.fires(path == "a.db" ? .fsync : .fdatasync, path))
        }
        #expect(run.fires(write: 1, "a.db"))
        #expect(!run.fires(write: 1, "a.db"))
    }

    @Test func `after-fsync= does not count the attempt itself`() throws {
        let run = try Attempts("fsync after-fsync=1 -> lie")
        #expect((1...2).map { _ in run.fires(.fsync) } == [false, true])
    }

    @Test func `between= is a range of operation ids`() throws {
        let run = try Attempts("any between=3..4 -> EIO")
        #expect((1...6).map { _ in run.fires(.open) } == [false, false, true, true, false, false])
    }

    static let places: [(rule: String, offset: UInt64, count: UInt64, fires: Bool)] = [
        ("write offset=100..200 -> EIO", 0, 100, false), ("write offset=100..200 -> EIO", 0, 101, true),
        ("write offset=100..200 -> EIO", 199, 9, true), ("write offset=100..200 -> EIO", 200, 9, false),
        ("write offset=100..200 -> EIO", 150, 0, false), ("write offset=100 -> EIO", 100, 1, true),
        ("write offset=100 -> EIO", 101, 1, false), ("write offset=100.. -> EIO", .max, .max, true),
        ("write size=10..20 -> EIO", 0, 9, false), ("write size=10..20 -> EIO", 0, 10, true),
        ("write size=10..20 -> EIO", 0, 20, true), ("write size=10..20 -> EIO", 0, 21, false),
    ]

    @Test(arguments: places) func `offset= and size= restrict the attempts`(
        _ row: (rule: String, offset: UInt64, count: UInt64, fires: Bool)
    ) throws {
        let run = try Attempts(row.rule)
        #expect(run.fires(write: row.count, at: row.offset) == row.fires)
    }

    @Test func `process= matches a process id or name`() throws {
        var run = try Attempts("write process=12 -> EIO")
        #expect(!run.fires(.write) { $0.process = 1 })
        #expect(run.fires(.write) { $0.process = 12 })
        #expect(!run.rules.needs.processNames)
        run = try Attempts("write process=post* -> EIO")
        #expect(run.rules.needs.processNames)
        #expect(!run.fires(.write) { $0.process = 12 })
        #expect(run.fires(.write) { $0.processName = "postgres" })
    }

    @Test func `an fsync rule matches every barrier, but loses data only of files`() throws {
        var run = try Attempts("fsync -> lie")
        let kinds: [OperationKind] = [.fsync, .fdatasync, .fsyncdir, .write]
        #expect(kinds.map { run.fires($0) } == [true, true, true, false])
        run = try Attempts("fsync -> EIO lose")
        #expect(kinds.map { run.fires($0) } == [true, true, false, false])
        #expect(run.rules.needs.syncedBytes)
        run = try Attempts("fdatasync -> lie")
        #expect(kinds.map { run.fires($0) } == [false, true, false, false])
    }

    @Test func `delays add up, and at most one other fault is injected`() throws {
        let run = try Attempts("write -> delay 2ms", "write nth=1 -> EIO", "write -> ENOSPC", "any -> delay 3ms")
        let first = run.decide(.write)
        #expect(first.delayNanoseconds == 5_000_000)
        #expect(first.main?.fault == .fail(.ioError))
        #expect(first.all.count == 3)
        #expect(run.decide(.write).main?.fault == .fail(.noSpace))
        #expect(run.rules.status.map(\.fired) == [2, 1, 1, 2])
        #expect(run.rules.status.map(\.matched) == [2, 2, 2, 2])
    }

    @Test func `an operation on two paths matches once, by either path`() throws {
        let run = try Attempts("rename path=*.db -> EIO", "rename -> delay 1ms")
        let attempt = Attempt(id: OperationID(1), .rename)
        let decisions = run.rules.decide(attempt, at: run.rules.match("a.tmp"), and: run.rules.match("a.db"))
        #expect(decisions.all.map(\.fault) == [.fail(.ioError), .delay(nanoseconds: 1_000_000)])
    }

    @Test func `rules are added and removed by number`() throws {
        let run = try Attempts("write -> EIO", "read -> EIO")
        let match = run.rules.match("a")
        #expect((1...2).map { _ in run.rules.remove(number: 1) } == [true, false])
        #expect(!run.rules.isCurrent(match))
        let number = run.rules.add(try Rule(parsing: "write -> ENOSPC"))
        #expect(number == 3)
        let stale = run.rules.decide(Attempt(id: OperationID(9), .write), at: match)
        #expect(stale.main?.fault == .fail(.noSpace), "a match that is not current is worked out anew")
        run.rules.removeAll()
        #expect(run.rules.isEmpty && run.rules.needs == FaultNeeds())
        #expect(run.decide(.write).isEmpty)
    }
}

struct RuleQuotaTests {
    private func write(_ run: Attempts, _ count: UInt64, growing growth: Int64) -> DrawnFault? {
        run.decide(.write) {
            $0.countBytes = count
            $0.growthBytes = growth
        }.main?.fault
    }

    @Test func `a write beyond the quota fails, or is short if a part fits`() throws {
        let run = try Attempts("any -> quota 100")
        #expect(run.rules.needs.growth)
        #expect(write(run, 60, growing: 60) == nil)
        #expect(write(run, 60, growing: 0) == nil, "an overwrite takes no room")
        #expect(write(run, 70, growing: 50) == .short(countBytes: 60), "20 old bytes and the 40 that fit")
        #expect(write(run, 10, growing: 10) == .fail(.noSpace))
        #expect(run.decide(.allocate) { $0.growthBytes = 1 }.main?.fault == .fail(.noSpace))
    }

    @Test func `removing a file frees its quota`() throws {
        let run = try Attempts("any -> quota 100 EDQUOT")
        #expect(write(run, 100, growing: 100) == nil)
        #expect(write(run, 1, growing: 1) == .fail(.quotaExceeded))
        #expect(run.decide(.unlink) { $0.growthBytes = -30 }.isEmpty)
        #expect(write(run, 30, growing: 30) == nil)
        #expect(write(run, 1, growing: 1) == .fail(.quotaExceeded))
        #expect(run.decide(.truncate) { $0.growthBytes = -1000 }.isEmpty)
        #expect(write(run, 100, growing: 100) == nil, "the room is never more than the quota")
        #expect(write(run, 1, growing: 1) == .fail(.quotaExceeded))
    }

    @Test func `an operation that fails for another reason uses no quota`() throws {
        let run = try Attempts("write nth=1 -> EIO", "any -> quota 10")
        #expect(write(run, 10, growing: 10) == .fail(.ioError))
        #expect(write(run, 10, growing: 10) == nil)
    }
}
