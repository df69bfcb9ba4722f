import Bytes
import Glibc
import Model
import Platform
import Storage
import Testing

/// A `FaultyStorage` with rules over a memory storage that has a file `a`.
struct FaultyRun {
    let memory: MemoryStorage
    let storage: FaultyStorage<RuleSet>
    let paused = Guarded<[UInt64]>([])

    init(_ rules: String..., a: [UInt8] = [], seed: UInt64 = 1) throws {
        memory = try MemoryStorage(contents: ["a": a])
        let paused = paused
        storage = FaultyStorage(memory, RuleSet(try rules.map { try Rule(parsing: $0) }, seed: seed)) { duration in
            paused.withLock { $0.append(duration) }
        }
    }

    func open() throws -> any StorageFile { try storage.open("a") }

    /// The stored content of `a`.
    var stored: [UInt8] {
        get throws { try #require(try memory.contents()["a"]) }
    }

    var faults: [String] { storage.injected.map { "\($0.operation.rawValue) \($0.kind.name) \($0.fault)" } }
}

func pattern(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }

/// The errno and rule of the injected error that `body` throws.
private func injectedError(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "none"
    } catch StorageError.injected(let call, let name, let errno, let rule) {
        return "\(call) \(name) \(ErrorNumber(rawValue: errno)?.name ?? "?") by \(rule)"
    } catch {
        return "real: \(error)"
    }
}

@Suite struct FaultyStorageTests {
    @Test func `an injected error names its rule`() throws {
        let run = try FaultyRun("write path=a nth=2 -> EIO")
        let file = try run.open()
        try file.write([1], at: 0)
        #expect(injectedError { try file.write([2], at: 1) } == "write a EIO by write path=a nth=2 -> EIO")
        try file.write([3], at: 1)
        #expect(try run.stored == [1, 3])
        #expect(run.faults == ["3 write EIO"])
    }

    static let calls: [(rule: String, error: String)] = [
        ("open path=a -> EMFILE", "open a EMFILE"), ("create path=b -> ENOSPC", "create b ENOSPC"),
        ("rename path=c -> EIO", "rename a EIO"), ("unlink -> EACCES", "unlink a EACCES"),
        ("readdir path=. -> EIO", "list . EIO"), ("fsyncdir -> EIO", "syncDirectory . EIO"),
        ("lock -> ENOLCK", "lockDirectory . ENOLCK"), ("truncate -> EIO", "truncate a EIO"),
        ("allocate -> ENOSPC", "preallocate a ENOSPC"), ("getattr -> EIO", "length a EIO"),
        ("fdatasync -> EIO", "sync a EIO"), ("read -> EIO", "read a EIO"),
    ]

    @Test(arguments: calls) func `every call can fail and then has no effect`(_ row: (rule: String, error: String))
        throws
    {
        let run = try FaultyRun(row.rule, a: [1, 2])
        var errors: Set<String> = []
        func attempt(_ body: () throws -> Void) {
            let error = injectedError(body)
            if error != "none" { errors.insert(error) }
        }
        attempt {
            let file = try run.open()
            attempt { try file.truncate(to: 1) }
            attempt { try file.preallocate(at: 0, countBytes: 9) }
            attempt { _ = try file.length() }
            attempt { try file.sync() }
            attempt { _ = try file.read(into: .init(start: nil, count: 0), at: 0) }
        }
        attempt { _ = try run.storage.create("b") }
        attempt { _ = try run.storage.list() }
        attempt { try run.storage.syncDirectory() }
        attempt { _ = try run.storage.lockDirectory() }
        attempt { try run.storage.rename("a", to: "c") }
        attempt { try run.storage.unlink("a") }
        #expect(errors.filter { !$0.hasPrefix("real") } == ["\(row.error) by \(row.rule)"])
        switch row.rule.split(separator: " ")[0] {
        case "rename": #expect(try run.memory.contents()["c"] == nil)
        case "create": #expect(try run.memory.contents()["b"] == nil)
        case "truncate": #expect(try run.memory.contents()["c"]?.count == 9)
        case "allocate": #expect(try run.memory.contents()["c"]?.count == 1)
        default: break
        }
    }

    @Test func `a real error passes through`() throws {
        let run = try FaultyRun("any -> delay 1ms")
        #expect(throws: StorageError.failed(.unlink, name: "b", errno: ENOENT)) { try run.storage.unlink("b") }
        #expect(throws: StorageError.invalidName("..")) { try run.storage.unlink("..") }
    }

    @Test func `interruptions are retried up to a limit`() throws {
        let run = try FaultyRun("any p=1/2 -> EINTR")
        let file = try run.open()
        for place in 0..<20 { try file.write([UInt8(place)], at: UInt64(place)) }
        try file.sync()
        try run.storage.syncDirectory()
        #expect(try file.contents() == Array(0..<20))
        #expect(run.faults.count > 10)
        let endless = try FaultyRun("write -> EINTR")
        #expect(injectedError { try endless.open().write([1], at: 0) } == "write a EINTR by write -> EINTR")
        #expect(endless.faults.count == 101)
    }

    @Test func `short writes and reads are continued`() throws {
        let run = try FaultyRun("write -> short 3", "read -> short 4")
        let file = try run.open()
        try file.write(Array(0..<10), at: 0)
        #expect(try run.stored == Array(0..<10))
        #expect(try file.read(countBytes: 10, at: 0) == Array(0..<10))
        #expect(run.faults.count == 3 + 2)
    }

    @Test func `after a short write the rest may fail`() throws {
        let run = try FaultyRun("write nth=1 -> short 4", "write nth=2 -> EIO", a: pattern(9, 10))
        #expect(injectedError { try run.open().write(Array(0..<10), at: 0) } == "write a EIO by write nth=2 -> EIO")
        #expect(try run.stored == [0, 1, 2, 3] + pattern(9, 6))
    }

    @Test func `an empty read is the end of the file and an empty write fails`() throws {
        let run = try FaultyRun("read -> short 0", "write -> short 0", a: [1, 2])
        let file = try run.open()
        var buffer: [UInt8] = [7, 7]
        #expect(try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 0) } == 0)
        #expect(injectedError { try file.write([1], at: 0) } == "write a EIO by write -> short 0")
    }

    @Test func `a torn write succeeds and lacks whole units`() throws {
        for seed in 0..<20 as Range<UInt64> {
            let run = try FaultyRun("write -> tear 512", a: pattern(1, 700), seed: seed)
            try run.open().write(pattern(2, 1500), at: 100)
            guard case .tear(let lost)? = run.storage.injected.first?.fault else {
                Issue.record("\(run.faults)")
                continue
            }
            let expected = (0..<1600).map { place -> UInt8 in
                if place >= 100, !lost.contains(UInt64(place)) { return 2 }
                return place < 700 ? 1 : 0
            }
            #expect(try run.stored == expected, "seed \(seed)")
        }
    }

    @Test func `a dropped write leaves old bytes and the new size`() throws {
        let run = try FaultyRun("write -> drop", a: [1, 2])
        try run.open().write([8, 8], at: 1)
        #expect(try run.stored == [1, 2, 0])
        try run.open().write([8], at: 0)
        #expect(try run.stored == [1, 2, 0])
    }

    @Test func `a write over a held one is visible until the barrier`() throws {
        let run = try FaultyRun("write size=4 -> reorder", a: [0, 0, 0, 0, 0, 0])
        let file = try run.open()
        try file.write([1, 1, 1, 1], at: 1)
        try file.write([2, 2], at: 2)
        #expect(try file.contents() == [0, 1, 2, 2, 1, 0])
        try file.write([3, 3, 3, 3], at: 0)
        #expect(try file.contents() == [3, 3, 3, 3, 1, 0])
        try file.write([4], at: 3)
        #expect(try file.contents() == [3, 3, 3, 4, 1, 0])
        try file.sync()
        let stored = try run.stored
        #expect([[3, 3, 3, 3, 1, 0], [3, 1, 1, 1, 1, 0]].contains(stored), "\(stored)")
        #expect(try file.contents() == [3, 3, 3, 4, 1, 0], "the newest bytes stay in the cache")
        try run.storage.dropCleanPages()
        #expect(try file.contents() == stored)
    }

    @Test func `reordered writes are visible at once and stored at the barrier in any order`() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 0..<40 as Range<UInt64> {
            let run = try FaultyRun("write size=2.. -> reorder", a: [0], seed: seed)
            let file = try run.open()
            try file.write([1, 1, 1], at: 0)
            try file.write([2, 2], at: 1)
            #expect(try run.stored == [0, 0, 0], "the size does not wait")
            #expect(try file.contents() == [1, 2, 2])
            try file.sync()
            outcomes.insert(try run.stored)
            #expect(try file.contents() == [1, 2, 2], "the newest bytes stay in the cache")
            try run.storage.dropCleanPages()
            #expect(try file.contents() == run.stored)
        }
        #expect(outcomes == [[1, 2, 2], [1, 1, 1]])
    }

    @Test func `a later write overtakes a held one`() throws {
        let run = try FaultyRun("write nth=1 -> reorder")
        let file = try run.open()
        try file.write([1, 1], at: 0)
        try file.write([2], at: 1)
        try file.sync()
        #expect(try run.stored == [1, 1])
        let cut = try FaultyRun("write nth=1 -> reorder")
        let other = try cut.open()
        try other.write([1, 1, 1], at: 0)
        try other.truncate(to: 1)
        #expect(try cut.stored == [1], "a truncate comes after what was written before it")
    }

    @Test func `a misdirected write goes elsewhere`() throws {
        let run = try FaultyRun("write -> misdirect", a: pattern(1, 1024))
        try run.open().write(pattern(2, 512), at: 512)
        #expect(try run.stored == pattern(2, 512) + pattern(1, 512))
        #expect(run.faults == ["2 write misdirect 0"])
    }

    @Test func `a misdirected read comes from elsewhere`() throws {
        let run = try FaultyRun("read nth=1 -> misdirect", a: pattern(1, 512) + pattern(2, 512))
        let file = try run.open()
        #expect(try file.read(countBytes: 512, at: 512) == pattern(1, 512))
        #expect(try file.read(countBytes: 512, at: 512) == pattern(2, 512))
    }

    @Test(arguments: [false, true]) func `a flipped bit is in transit or at rest`(_ isAtRest: Bool) throws {
        let run = try FaultyRun("read nth=1 -> bitflip" + (isAtRest ? " at-rest" : ""), a: pattern(0, 50))
        let file = try run.storage.openForReading("a")
        let first = try file.contents()
        #expect(first.reduce(0) { $0 + $1.nonzeroBitCount } == 1)
        #expect(try file.contents() == (isAtRest ? first : pattern(0, 50)))
        #expect(try run.stored == (isAtRest ? first : pattern(0, 50)))
    }

    @Test func `a stale read returns overwritten bytes`() throws {
        let run = try FaultyRun("read -> stale", a: [1, 2, 3])
        let file = try run.open()
        #expect(try file.contents() == [1, 2, 3])
        #expect(run.faults == [], "nothing older is known")
        try file.write([8, 8, 8, 8], at: 1)
        #expect(try file.contents() == [1, 2, 3, 8, 8])
        try file.write([9], at: 1)
        try file.sync()
        #expect(try file.contents() == [1, 8, 3, 8, 8])
        try file.truncate(to: 1)
        #expect(try file.contents() == [1])
    }

    @Test func `delays wait and add up`() throws {
        let run = try FaultyRun("write -> delay 2ms", "any -> delay 1ms")
        let file = try run.open()
        try file.write([1], at: 0)
        #expect(run.paused.withLock { $0 } == [1_000_000, 3_000_000])
        #expect(try run.stored == [1])
    }

    @Test func `a quota is a disk that fills and empties`() throws {
        let run = try FaultyRun("any -> quota 100")
        let file = try run.open()
        try file.write(pattern(1, 60), at: 0)
        #expect(injectedError { try file.write(pattern(2, 60), at: 50) } == "write a ENOSPC by any -> quota 100")
        #expect(try run.stored == pattern(1, 50) + pattern(2, 50), "what fits is written")
        try file.write(pattern(3, 100), at: 0)
        let other = try run.storage.create("b")
        #expect(
            injectedError { try other.preallocate(at: 0, countBytes: 1) } == "preallocate b ENOSPC by any -> quota 100")
        try file.truncate(to: 30)
        try other.preallocate(at: 0, countBytes: 70)
        try run.storage.rename("b", to: "a")
        try run.storage.create("c").write(pattern(4, 30), at: 0)
        try run.storage.unlink("a")
        try run.storage.create("d").write(pattern(4, 70), at: 0)
        #expect(injectedError { try run.storage.create("e").write([1], at: 0) } == "write e ENOSPC by any -> quota 100")
    }

    @Test(arguments: ["crash", "crash after"]) func `after a crash every call fails without effect`(_ fault: String)
        throws
    {
        let run = try FaultyRun("write nth=2 -> \(fault)")
        let file = try run.open()
        try file.write([1], at: 0)
        let rule = "write nth=2 -> \(fault)"
        #expect(injectedError { try file.write([2], at: 1) } == "write a EIO by \(rule)")
        #expect(run.storage.hasCrashed)
        #expect(injectedError { try file.write([3], at: 2) } == "write a EIO by \(rule)")
        #expect(injectedError { try file.sync() } == "sync a EIO by \(rule)")
        #expect(injectedError { _ = try run.storage.list() } == "list . EIO by \(rule)")
        #expect(try run.stored == (fault == "crash" ? [1] : [1, 2]))
        #expect(run.faults.count == 1)
    }

    @Test func `rules follow open files through changes and renames`() throws {
        let run = try FaultyRun()
        let file = try run.open()
        try file.write([1], at: 0)
        let rule = try Rule(parsing: "write path=b -> EIO")
        #expect(run.storage.withFaults { $0.add(rule) } == 1)
        try file.write([2], at: 0)
        try run.storage.rename("a", to: "b")
        #expect(injectedError { try file.write([3], at: 0) } == "write b EIO by write path=b -> EIO")
        run.storage.withFaults { $0 = RuleSet(seed: 2) }
        try file.write([4], at: 0)
    }

    @Test func `operations count whether or not rules match them`() throws {
        let run = try FaultyRun("write between=4..4 -> EIO")
        let file = try run.open()
        _ = try file.length()
        try file.write([1], at: 0)
        #expect(throws: StorageError.self) { try file.write([1], at: 0) }
        #expect(run.storage.operationCount == 4)
    }
}
