import Bytes
import FaultFS
import Glibc
import Model
import Storage
import Testing

/// What a power cut leaves in the backing directory is the crash state that the model derives from the trace.
@Suite(.enabled(if: Bench.canMount), .serialized) struct PowerCutTests {
    static let profiles: [Profile] = [.strict, .ext4Ordered, .xfs, .btrfs, .posixMin]

    @Test(.timeLimit(.minutes(2)), arguments: 1...40)
    func thePatchedDirectoryIsTheDerivedTree(seed: UInt64) throws {
        let profile = Self.profiles[Int(seed) % Self.profiles.count]
        let choice: Choice = [.nothing, .seeded(seed), .seeded(seed &+ 1000), .everything][Int(seed / 5) % 4]
        let bench = try Bench(
            in: Bench.root(seed),
            prepare: """
                mkdir -p a/b d; head -c 30000 /dev/urandom > f; head -c 9000 /dev/urandom > a/f; ln a/f d/f
                truncate -s 1M g; printf tail >> g; setfattr -n user.0 -v old f; printf x > h; ln -s f a/g
                """
        ) {
            // What the mount followed, and what it has to work out from the trace.
            if seed % 2 == 0 { $0.profile = profile }
        }
        var random = RandomSteps(seed: seed)
        let runner = StepRunner(root: bench.mountPoint)
        for step in random.steps(150) { _ = runner.run(step) }
        bench.mount.crash()
        runner.closeAll()
        let expected = try Self.derive(bench, profile, choice, "expected")
        let cut = try bench.mount.cutPower(profile, choice)
        // A store at work keeps these bits; a state that is written somewhere else has none.
        _ = Shell.run("find '\(bench.backing)' ! -type d ! -type l -perm /6000 -exec chmod ug-s {} +")
        let (left, right) = (Snapshot.of(expected), Snapshot.of(bench.backing))
        #expect(
            left == right,
            """
            \(profile) \(choice): expected \(left.filter { !right.contains($0) })
            found \(right.filter { !left.contains($0) })
            lost \(cut.story)
            \(bench.trace.text)
            """)
        #expect(Shell.run("ls -A '\(bench.backing)' | grep -c .faultline").output == "0\n")
    }

    /// A large file that is unlinked waits in the limbo until no crash can bring it back; a crash by a weaker profile than
    /// the mount's then makes it again from the trace.
    @Test func theLimboKeepsWhatACrashCouldBringBack() throws {
        let bench = try Bench(prepare: "head -c 100000 /dev/zero | tr '\\0' b > base") { $0.profile = .ext4Ordered }
        func limbo() -> String { Shell.run("ls '\(bench.backing)/.faultline/limbo' | wc -l").output }
        let zeros = "head -c 200000 /dev/zero"
        bench.succeed("\(zeros) | tr '\\0' x > large; sync large; sync .; rm base large")
        #expect(limbo() == "2\n")
        bench.succeed("printf x > f; sync f")
        #expect(limbo() == "1\n")
        // One that is still open goes too, and stays usable.
        let open = "\(zeros) > open; exec 3<> open; rm open; printf y >> f; sync f; ls ../backing/.faultline/limbo"
        #expect(bench.succeed("\(open); stat -Lc %h /dev/fd/3; wc -c <&3") == "2\n0\n200000\n")
        _ = try bench.mount.cutPower(.posixMin, .nothing)
        #expect(Shell.run("tr -d '\\0' < '\(bench.backing)/large' | wc -c").output == "200000\n")
        #expect(Shell.run("wc -c < '\(bench.backing)/base'").output == "100000\n")
    }

    /// A file made in the mount goes to the limbo if it was ever larger than what costs less to write again; whichever way
    /// it is kept, a cut that loses its unlink brings it back.
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
    func whatWasEverLargeIsKept(script: String, removal: String, kept: Int) throws {
        for root in Bench.roots {
            let rule = try Rule(parsing: "write path=held nth=1 -> reorder")
            let bench = try Bench(in: root) {
                $0.profile = .ext4Ordered
                if script.contains("held") { $0.rules = [rule] }
            }
            bench.succeed("\(script); sync *; sync .; \(removal)")
            #expect(Shell.run("ls '\(bench.backing)/.faultline/limbo' | wc -l").output == "\(kept)\n", "\(root)")
            bench.mount.crash()
            let expected = try Self.derive(bench, .ext4Ordered, .nothing, "expected")
            _ = try bench.mount.cutPower(.ext4Ordered, .nothing)
            #expect(Snapshot.of(expected) == Snapshot.of(bench.backing), "\(root)")
        }
    }

    /// Writes the derived tree to a directory of its own.
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
