import Bytes
import Model
import Storage
import Testing

@Suite struct RandomFaultsTests {
    static let rules = """
        write p=1/20 -> EIO
        write p=1/10 -> tear 512
        write p=1/20 -> drop
        write p=1/10 -> reorder
        write p=1/20 -> misdirect
        write p=1/5 -> short 1000
        read p=1/5 -> bitflip at-rest
        read p=1/5 -> stale
        read p=1/5 -> misdirect
        fsync p=1/8 -> EIO lose
        fsync path=b p=1/4 -> EIO lose btrfs
        fsync p=1/8 -> lie
        any p=1/9 -> EINTR
        any path=c -> quota 9000
        any p=1/9 -> delay 1us..3us
        rename p=1/9 -> EACCES
        write between=150.. nth=3 -> crash after
        """

    /// Whatever faults were injected above the recording, the trace gives the stored bytes.
    @Test(arguments: 0..<6 as Range<UInt64>) func `the trace gives the stored bytes after faults`(_ seed: UInt64) throws
    {
        let memory = MemoryStorage()
        let recording = try RecordingStorage(memory)
        let rules = RuleSet(try Rule.list(parsing: ByteString(Self.rules)), seed: seed)
        let storage = FaultyStorage(recording, rules) { _ in }
        var workload = RandomWorkload(storage, seed: seed)
        for _ in 0..<200 { try workload.step() }
        #expect(storage.injected.count > 20)
        let told = recording.events.count { if case .fault = $0 { true } else { false } }
        #expect(told >= storage.injected.count, "an error that a second open file reports is told again")
        var set = PendingSet(profile: .posixMin, base: recording.base)
        for event in recording.events { set.add(event) }
        let tree = set.tree(set.survivors(.everything))
        #expect(try MemoryStorage(tree, payloads: recording.payloads).contents() == memory.contents(), "seed \(seed)")
    }

    /// Replaying the faults by operation id gives the same results and the same bytes.
    @Test(arguments: 0..<6 as Range<UInt64>) func `a replay gives the same results and bytes`(_ seed: UInt64) throws {
        let memory = MemoryStorage()
        let rules = RuleSet(try Rule.list(parsing: ByteString(Self.rules)), seed: seed)
        let storage = FaultyStorage(memory, rules) { _ in }
        var workload = RandomWorkload(storage, seed: seed)
        for _ in 0..<200 { try workload.step() }

        let script = ByteString(storage.injected.map { "\($0)\n" }.joined())
        let again = MemoryStorage()
        let replay = FaultyStorage(again, try ScriptedFaults(parsing: script)) { _ in }
        var second = RandomWorkload(replay, seed: seed)
        for _ in 0..<200 { try second.step() }
        #expect(try again.contents() == memory.contents(), "seed \(seed)")
        #expect(replay.injected.map(\.fault) == storage.injected.map(\.fault))
        #expect(replay.withFaults { $0.diverged } == [])
        // Errors name the rule, and a replay has none.
        func withoutRules(_ results: [String]) -> [Substring] { results.map { $0.prefix { $0 != "(" } } }
        #expect(withoutRules(second.results) == withoutRules(workload.results))
    }
}
