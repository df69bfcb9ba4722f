import Bytes
import FaultFS
import Glibc
import Model
import Testing

/// Programs read other bytes than storage holds: held writes, bytes lost by a sync, stale reads.
@Suite(.enabled(if: Bench.canMount), .serialized) struct PageCacheTests {
    private func bench(_ rules: String..., prepare: String = "", seed: UInt64 = 1) throws -> Bench {
        let rules = try rules.map { try Rule(parsing: $0) }
        return try Bench(prepare: prepare) {
            $0.rules = rules
            $0.seed = seed
        }
    }

    private func stored(_ bench: Bench, _ name: String = "f") -> String {
        Shell.run("tr '\\0' . < '\(bench.backing)/\(name)'").output
    }

    /// A command that writes `text` at `offset` without truncation.
    private func put(_ text: String, _ offset: Int, _ name: String = "f") -> String {
        "printf \(text) | dd of=\(name) bs=64 seek=\(offset) oflag=seek_bytes conv=notrunc status=none"
    }

    private func writes(_ bench: Bench) -> [String] {
        bench.trace.text.split(separator: "\n").filter { $0.contains(" at ") }.map {
            String($0.drop { $0 != " " }.dropFirst())
        }
    }

    // MARK: Held writes

    @Test func `held writes reach storage reordered before the barrier`() throws {
        var orders: Set<[String]> = []
        for seed in 1...4 as ClosedRange<UInt64> {
            let bench = try bench("write path=f -> reorder", seed: seed)
            bench.succeed(": > f; printf a >> f; printf b >> f; printf c >> f")
            #expect(bench.succeed("cat f") == "abc")
            #expect(stored(bench) == "...")
            #expect(writes(bench) == [])
            #expect(bench.succeed("cat .faultline/unsynced").contains(": 3 bytes of f\n"))
            bench.succeed("sync f")
            #expect(stored(bench) == "abc")
            let lines = bench.trace.text.split(separator: "\n")
            let barrier = try #require(lines.firstIndex { $0.hasSuffix("fsync 2 began") })
            #expect(!lines[barrier...].contains { $0.contains("write") })
            #expect(writes(bench).sorted() == ["write 2 at 0 'a'", "write 2 at 1 'b'", "write 2 at 2 'c'"])
            orders.insert(writes(bench))
        }
        #expect(orders.count > 1)
    }

    /// A held older write reaches storage last. Programs see the newest bytes until eviction.
    @Test func `a held write overwrites a later one in storage`() throws {
        let bench = try bench("write path=f nth=2 -> reorder")
        bench.succeed("printf 123456 > f; \(put("old", 1)); \(put("new", 1))")
        #expect(bench.succeed("cat f") == "1new56")
        #expect(stored(bench) == "1new56")
        bench.succeed("sync f")
        #expect(bench.succeed("cat f") == "1new56")
        #expect(stored(bench) == "1old56")
        #expect(bench.succeed("cat .faultline/unsynced").contains("still seen by programs: 3 bytes of f\n"))
        bench.succeed("echo evict > .faultline/control; sleep 0.1")
        #expect(bench.succeed("cat f") == "1old56")
    }

    @Test(arguments: [
        ("truncate -s 2 f", "ab"), ("fallocate -p -o 0 -l 2 f", "..c"), ("truncate -s 5 f", "abc.."),
    ])
    func `truncations and holes release held writes`(change: String, left: String) throws {
        let bench = try bench("write path=f -> reorder")
        bench.succeed("printf abc > f; \(change)")
        #expect(stored(bench) == left)
        #expect(bench.succeed("tr '\\0' . < f") == left)
    }

    @Test func `an unmount releases held writes`() throws {
        let bench = try bench("write -> reorder")
        bench.succeed("printf abc > f; printf xyz > g; rm g; echo clear > .faultline/control")
        try bench.mount.unmount()
        #expect(stored(bench) == "abc")
        #expect(writes(bench) == ["write 2 at 0 'abc'"])
    }

    @Test func `a power cut loses held writes`() throws {
        let bench = try bench("write path=f nth=2 -> reorder")
        bench.succeed("printf abc > f; printf xyz >> f; printf 123 >> f")
        let cut = try bench.mount.cutPower(.kill, .everything)
        #expect(stored(bench) == "abc...123")
        #expect(cut.lost.items.isEmpty)
    }

    // MARK: Stale reads

    @Test func `a stale read returns overwritten bytes`() throws {
        let bench = try bench("read path=f nth=1 -> stale", "read path=once -> stale", prepare: "printf 123456 > f")
        bench.succeed("printf abc > once; \(put("xyz", 2)); \(put("X", 3)); printf 78 >> f")
        #expect(bench.succeed("cat f") == "123y5678")
        #expect(bench.succeed("cat f") == "12xXz678")
        #expect(bench.succeed("cat once") == "abc")
        #expect(bench.succeed("grep -c 'matched 0' .faultline/rules") == "1\n")
    }

    // MARK: Bytes lost by a sync

    /// For a page that the kernel never had completely in its cache.
    @Test(arguments: ["ext4", "xfs"])
    func `lost bytes are visible until eviction`(loss: String) throws {
        let bench = try bench("fsync path=f nth=2 -> EIO lose \(loss)")
        bench.succeed("printf 'old old' > f; sync f; \(put("new", 0)); printf ' more' >> f; ! sync f")
        #expect(bench.succeed("cat f") == "new old more")
        #expect(bench.succeed("sync f; cat f") == "new old more")
        #expect(stored(bench) == "old old.....")
        bench.succeed("echo evict > .faultline/control; sleep 0.1")
        #expect(bench.succeed("tr '\\0' . < f") == "old old.....")
    }

    @Test func `truncated bytes stay gone`() throws {
        let bench = try bench("fsync path=f nth=1 -> EIO lose")
        bench.succeed("printf abcdef > f; ! sync f; truncate -s 2 f; truncate -s 4 f")
        #expect(bench.succeed("tr '\\0' . < f") == "ab..")
        bench.succeed("fallocate -z -o 0 -l 1 f")
        #expect(bench.succeed("tr '\\0' . < f") == ".b..")
    }

    @Test func `a page that is dirtied again is written back whole`() throws {
        let bench = try bench("fsync path=f nth=2 -> EIO lose")
        bench.succeed("head -c 12288 /dev/zero > f; sync f; \(put("one", 5)); \(put("two", 5000)); ! sync f")
        bench.succeed("\(put("x", 0)); sync f")
        let seen = bench.succeed("tr -d '\\0' < f")
        #expect(seen == "xonetwo")
        // The second page was not dirtied again, so it is not written back.
        #expect(Shell.run("tr -d '\\0' < '\(bench.backing)/f'").output == "xone")
        var pending = PendingSet(profile: .ext4Ordered, base: bench.mount.base)
        for event in bench.trace.events() { pending.add(event) }
        #expect(pending.pendingEffectCount == 0)
        try bench.mount.unmount()
        #expect(Shell.run("tr -d '\\0' < '\(bench.backing)/f'").output == "xone")
    }
}
