import Bytes
import Model
import Testing

struct ScriptedFaultsTests {
    static let rules = """
        write p=1/7 -> tear 512
        write p=1/9 -> misdirect
        write every=11 -> reorder
        read p=1/5 -> bitflip at-rest
        read path=b* p=1/5 -> bitflip
        any p=1/6 -> delay 1us..90us
        fsync p=1/4 -> EIO lose btrfs
        fsync -> lie
        write -> crash after
        """

    private func attempts(seed: UInt64) -> [(Attempt, ByteString)] {
        var random = RandomStream(seed: seed).stream("attempts")
        return (1...300 as ClosedRange<UInt64>).map { id in
            let kind: OperationKind = [.read, .write, .fdatasync, .rename].randomElement(using: &random)!
            let attempt = Attempt(
                id: OperationID(id), kind, offsetBytes: random.next(upperBound: UInt64(5000)),
                countBytes: 1 + random.next(upperBound: UInt64(5000)), fileSizeBytes: 20_000)
            return (attempt, ["a", "b c", "d/\u{E9}"].randomElement(using: &random)!)
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>) func `a replay injects the faults of the run`(_ seed: UInt64) throws {
        var rules = RuleSet(try Rule.list(parsing: ByteString(Self.rules)), seed: seed)
        var record: [InjectedFault] = []
        var seen: [[DrawnFault]] = []
        for (attempt, path) in attempts(seed: seed) {
            let decisions = rules.decide(attempt, at: rules.match(path))
            record += decisions.all.map { InjectedFault(attempt, path: path, $0) }
            seen.append(decisions.all.map(\.fault))
        }
        #expect(record.count > 100)
        let lines = ByteString(record.map { "\($0)\n" }.joined())
        for script in [ScriptedFaults(record), try ScriptedFaults(parsing: lines)] {
            var replay = try ScriptedFaults(parsing: ByteString(script.description))
            #expect(replay.description == script.description)
            #expect(replay.count == record.count)
            for (index, (attempt, path)) in attempts(seed: seed).enumerated() {
                let faults = replay.decide(attempt, at: replay.match(path)).all.map(\.fault)
                #expect(faults == seen[index], "seed \(seed), operation \(attempt.id)")
            }
            #expect(replay.firedCount == record.count && replay.diverged.isEmpty)
        }
    }

    @Test func `an operation that differs from the script counts as diverged`() throws {
        var script = try ScriptedFaults(parsing: "# a run\n\n3 write path=a -> EIO\n4 fsync path=. -> lie")
        #expect(!script.match("other").isEmpty)
        #expect(script.decide(Attempt(id: OperationID(3), .write), at: script.match("b")).isEmpty)
        #expect(script.decide(Attempt(id: OperationID(4), .read), at: script.match(".")).isEmpty)
        #expect(script.diverged == [OperationID(3), OperationID(4)])
        #expect(script.decide(Attempt(id: OperationID(4), .fsync), at: script.match(".")).main?.fault == .lie)
    }

    static let wrong: [(text: String, column: Int)] = [
        ("x write path=a -> EIO", 1), ("3 wrote path=a -> EIO", 3), ("3 write a -> EIO", 9),
        ("3 write path=* -> EIO", 9), ("3 write path=a EIO", 16), ("3 write path=a -> tear 9..9", 19),
        ("3 write path=a -> bitflip 7.8", 19), ("3 write path=a ->", 18), ("3 write path=a -> EIO lose", 19),
    ]

    @Test(arguments: wrong) func `an invalid script is refused with its column`(_ row: (text: String, column: Int))
        throws
    {
        let error = try #require(throws: RuleError.self) { try ScriptedFaults(parsing: ByteString(row.text)) }
        #expect(error.columnBytes == row.column, "\(error)")
    }
}
