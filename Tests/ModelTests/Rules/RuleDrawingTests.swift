import Bytes
import Model
import Testing

struct RuleDrawingTests {
    /// The faults of each file when the attempts of several files come in an order that `seed` decides.
    private func faultsByFile(_ texts: [String], order seed: UInt64) throws -> [ByteString: [DrawnFault?]] {
        var rules = RuleSet(try texts.map { try Rule(parsing: $0) }, seed: 7)
        var random = RandomStream(seed: seed).stream("order")
        var left: [ByteString] = ["a", "b", "c"].flatMap { [ByteString](repeating: $0, count: 60) }
        var faults: [ByteString: [DrawnFault?]] = [:]
        var id: UInt64 = 0
        while !left.isEmpty {
            let path = left.remove(at: Int.random(in: 0..<left.count, using: &random))
            id += 1
            let attempt = Attempt(
                id: OperationID(id), .write, offsetBytes: 100, countBytes: 10_000, fileSizeBytes: 1 << 20)
            faults[path, default: []].append(rules.decide(attempt, at: rules.match(path)).main?.fault)
        }
        return faults
    }

    @Test func `the timing of one file does not change the faults of another`() throws {
        let rule = "write p=1/3 -> tear 512"
        let first = try faultsByFile([rule], order: 1)
        #expect(first["a"] != first["b"], "each file has a stream of its own")
        #expect(first.values.allSatisfy { $0.contains(nil) && $0.contains { $0 != nil } })
        for order in 2..<10 as Range<UInt64> { #expect(try faultsByFile([rule], order: order) == first) }
    }

    @Test func `the draws of one rule do not change those of another`() throws {
        let rule = "write p=1/3 -> misdirect"
        let alone = try faultsByFile([rule], order: 1)
        #expect(try faultsByFile(["read p=1/2 -> bitflip", rule, "write p=1/2 -> delay 1ms..9ms"], order: 1) == alone)
        let both = try faultsByFile([rule, rule], order: 1)
        #expect(both != alone, "equal rules have streams of their own")
    }

    @Test func `a rule with p=1/N fires on that share of attempts`() throws {
        let run = try Attempts("write p=1/4 -> EIO")
        let fired = (0..<4000).count { _ in run.fires(.write) }
        #expect((850...1150).contains(fired))
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func `a tear loses some whole units and keeps some`(_ seed: UInt64) throws
    {
        for unit in [512, 4096] as [UInt64] {
            let run = try Attempts("write -> tear \(unit)", seed: seed)
            var sides: Set<String> = []
            var random = RandomStream(seed: seed).stream("tears")
            for _ in 0..<200 {
                let offset = random.next(upperBound: UInt64(10_000))
                let count = random.next(upperBound: 4 * unit)
                let isWithinOneUnit = count == 0 || offset / unit == (offset + count - 1) / unit
                let fault = run.decide(.write) {
                    $0.offsetBytes = offset
                    $0.countBytes = count
                }.main?.fault
                guard case .tear(let lost)? = fault else {
                    #expect(isWithinOneUnit, "seed \(seed): \(offset) \(count)")
                    continue
                }
                #expect(!isWithinOneUnit)
                let whole = offset..<offset + count
                #expect(!lost.isEmpty && lost != whole && lost.clamped(to: whole) == lost, "seed \(seed)")
                #expect(lost.lowerBound % unit == 0 || lost.lowerBound == offset)
                #expect(lost.upperBound % unit == 0 || lost.upperBound == offset + count)
                sides.insert("\(lost.lowerBound == offset) \(lost.upperBound == offset + count)")
            }
            #expect(sides.count == 3, "beginnings, ends and holes: \(sides)")
        }
    }

    @Test func `a bit flip is within the read bytes`() throws {
        let run = try Attempts("read -> bitflip at-rest")
        #expect(!run.fires(.read) { $0.countBytes = 9 }, "nothing to read")
        var seen: Set<UInt64> = []
        for _ in 0..<300 {
            let fault = run.decide(.read) {
                $0.offsetBytes = 10
                $0.countBytes = 100
                $0.fileSizeBytes = 15
            }.main?.fault
            guard case .bitflip(let offset, let bit, .atRest)? = fault else {
                Issue.record("\(String(describing: fault))")
                continue
            }
            seen.insert(offset * 8 + UInt64(bit))
        }
        #expect(seen == Set(80..<120))
    }

    @Test func `a misdirected operation stays in the file, whole sectors away`() throws {
        let run = try Attempts("any -> delay 0ns", "read -> misdirect", "write -> misdirect")
        var seen: [OperationKind: Set<UInt64>] = [:]
        for _ in 0..<100 {
            for kind in [.read, .write] as [OperationKind] {
                let fault = run.decide(kind) {
                    $0.offsetBytes = 1034
                    $0.countBytes = 500
                    $0.fileSizeBytes = 2100
                }.main?.fault
                guard case .misdirect(let offset)? = fault else { continue }
                seen[kind, default: []].insert(offset)
            }
        }
        #expect(seen == [.read: [10, 522, 1546], .write: [10, 522, 1546]])
        #expect(run.decide(.read) { ($0.countBytes, $0.fileSizeBytes) = (500, 600) }.main == nil, "no other place")
        #expect(run.decide(.write) { ($0.offsetBytes, $0.countBytes) = (512, 9) }.main?.fault == .misdirect(toBytes: 0))
    }

    @Test func `impossible faults neither match nor count`() throws {
        let run = try Attempts("read -> stale", "write -> short 10", "write -> drop")
        #expect(!run.fires(.read))
        #expect(run.fires(.read) { $0.hasOlderBytes = true })
        #expect(!run.fires(write: 0))
        #expect(run.fires(write: 11))
        #expect(run.rules.status.map(\.matched) == [1, 1, 1])
    }

    @Test func `offsets near UInt64.max do not trap`() throws {
        let faults = ["write -> tear 512", "write -> misdirect", "read -> bitflip", "read -> misdirect"]
        for (text, kind) in zip(faults, [.write, .write, .read, .read] as [OperationKind]) {
            let run = try Attempts(text)
            for size in [0, .max] as [UInt64] {
                _ = run.decide(kind) { ($0.offsetBytes, $0.countBytes, $0.fileSizeBytes) = (.max, .max, size) }
                _ = run.decide(kind) { ($0.offsetBytes, $0.countBytes, $0.fileSizeBytes) = (.max - 1, 1, size) }
                _ = run.decide(kind) { ($0.offsetBytes, $0.countBytes, $0.fileSizeBytes) = (0, .max, size) }
            }
        }
    }

    @Test func `delays follow their distributions`() throws {
        let uniform = try Attempts("write -> delay 5ns..8ns")
        #expect(Set((0..<200).map { _ in uniform.decide(.write).delayNanoseconds }) == [5, 6, 7, 8])
        let exponential = try Attempts("write -> delay exponential 1ms")
        let delays = (0..<4000).map { _ in Double(exponential.decide(.write).delayNanoseconds) / 1e6 }
        let mean = delays.reduce(0, +) / 4000
        #expect((0.94...1.06).contains(mean), "\(mean)")
        // Of an exponential distribution e⁻¹ = 36.8 % lie above the mean, and 5.0 % above three times the mean.
        #expect((0.34...0.40).contains(Double(delays.count { $0 > 1 }) / 4000))
        #expect((0.037...0.063).contains(Double(delays.count { $0 > 3 }) / 4000))
    }
}
