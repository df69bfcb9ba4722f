import Bytes
import FaultFS
import Glibc
import Model
import Storage
import Testing

/// A power cut leaves the crash state that the model derives from the trace.
@Suite(.enabled(if: Bench.canMount), .serialized) struct PowerCutTests {
    static let profiles: [Profile] = [.strict, .ext4Ordered, .xfs, .btrfs, .posixMin]

    @Test(.timeLimit(.minutes(5)), arguments: 1...40)
    func `the patched directory is the derived tree`(seed: UInt64) throws {
        let profile = Self.profiles[Int(seed) % Self.profiles.count]
        let choice: Choice = [.nothing, .seeded(seed), .seeded(seed &+ 1000), .everything][Int(seed / 5) % 4]
        let bench = try Bench(
            in: Bench.root(seed),
            prepare: """
                mkdir -p a/b d; head -c 30000 /dev/urandom > f; head -c 9000 /dev/urandom > a/f; ln a/f d/f
                truncate -s 1M g; printf tail >> g; setfattr -n user.0 -v old f; printf x > h; ln -s f a/g
                """
        ) {
            // Half of the seeds use the mount's own profile; the others need a replay of the trace.
            if seed % 2 == 0 { $0.profile = profile }
        }
        var random = RandomSteps(seed: seed)
        let runner = StepRunner(root: bench.mountPoint)
        for step in random.steps(150) { _ = runner.run(step) }
        bench.mount.crash()
        runner.closeAll()
        let expected = try Self.derive(bench, profile, choice, "expected")
        let cut = try bench.mount.cutPower(profile, choice)
        // A materialised crash state has no set-ID bits.
        _ = Shell.run("find '\(bench.backing)' ! -type d ! -type l -perm /6000 -exec chmod ug-s {} +")
        let (left, right) = (Snapshot.of(expected), Snapshot.of(bench.backing))
        #expect(
            left == right,
            """
            \(profile) \(choice): expected \(left.filter { !right.contains($0) })
            found \(right.filter { !left.contains($0) })
            lost \(cut.lossDescriptions)
            \(bench.trace.text)
            """)
        #expect(Shell.run("ls -A '\(bench.backing)' | grep -c .faultline").output == "0\n")
    }

    /// An unlinked large file stays in the orphan directory until no crash can restore it. A crash under a weaker
    /// profile than the mount's then rebuilds it from the trace.
    @Test func `the orphan directory keeps files that a crash could restore`() throws {
        let bench = try Bench(prepare: "head -c 100000 /dev/zero | tr '\\0' b > base") { $0.profile = .ext4Ordered }
        func orphans() -> String { Shell.run("ls '\(bench.backing)/.faultline/orphans' | wc -l").output }
        let zeros = "head -c 200000 /dev/zero"
        bench.succeed("\(zeros) | tr '\\0' x > large; sync large; sync .; rm base large")
        #expect(orphans() == "2\n")
        bench.succeed("printf x > f; sync f")
        #expect(orphans() == "1\n")
        // An open orphan is removed, too, and stays usable.
        let open = "\(zeros) > open; exec 3<> open; rm open; printf y >> f; sync f; ls ../backing/.faultline/orphans"
        #expect(bench.succeed("\(open); stat -Lc %h /dev/fd/3; wc -c <&3") == "2\n0\n200000\n")
        _ = try bench.mount.cutPower(.posixMin, .nothing)
        #expect(Shell.run("tr -d '\\0' < '\(bench.backing)/large' | wc -c").output == "200000\n")
        #expect(Shell.run("wc -c < '\(bench.backing)/base'").output == "100000\n")
    }

    /// A file created in the mount is kept as an orphan if it was ever large; otherwise it is rebuilt from the trace.
    /// Either way a power cut that loses its unlink restores it.
    @Test(arguments: [
        ("head -c 200000 /dev/urandom > f; truncate -s 1 f", "rm f", 1),
        ("truncate -s 1M f", "rm f", 1),
        (": > f; fallocate -n -l 1M f", "rm f", 1),
        ("printf x > f; fallocate -o 70000 -l 5 f", "rm f", 1),
        ("printf x | dd of=f bs=1 seek=65535 status=none", "rm f", 0),
        ("printf x | dd of=f bs=1 seek=65536 status=none", "rm f", 1),
        ("printf x > small; head -c 200000 /dev/urandom > f", "mv small f", 1),
        ("printf x > small; head -c 200000 /dev/urandom > f", "mv f small", 0),
        ("head -c 200000 /dev/urandom > f; ln f g", "rm f", 0),
        ("head -c 200000 /dev/urandom > held; sync held", "rm held", 1),
    ])
    func `a file that was ever large is kept`(script: String, removal: String, kept: Int) throws {
        for root in Bench.roots {
            let rule = try Rule(parsing: "write path=held nth=1 -> reorder")
            let bench = try Bench(in: root) {
                $0.profile = .ext4Ordered
                if script.contains("held") { $0.rules = [rule] }
            }
            bench.succeed("\(script); sync *; sync .; \(removal)")
            #expect(Shell.run("ls '\(bench.backing)/.faultline/orphans' | wc -l").output == "\(kept)\n", "\(root)")
            bench.mount.crash()
            let expected = try Self.derive(bench, .ext4Ordered, .nothing, "expected")
            _ = try bench.mount.cutPower(.ext4Ordered, .nothing)
            #expect(Snapshot.of(expected) == Snapshot.of(bench.backing), "\(root)")
        }
    }

    /// Materialises the derived crash state in a new directory.
    static func derive(_ bench: Bench, _ profile: Profile, _ choice: Choice, _ name: String) throws -> String {
        var pending = PendingSet(profile: profile, base: bench.mount.base)
        for event in bench.trace.events() { pending.add(event) }
        let path = bench.directory + "/\(name)"
        _ = Shell.run("mkdir '\(path)'")
        let payloads = try #require(bench.mount.payloads)
        try TreeMaterialiser(payloads: payloads).materialise(
            pending.tree(pending.survivors(choice)), into: ByteString(path))
        return path
    }
}
