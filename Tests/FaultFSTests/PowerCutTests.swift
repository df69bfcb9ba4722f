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
            prepare: """
                mkdir -p a/b d; head -c 30000 /dev/urandom > f; head -c 9000 /dev/urandom > a/f; ln a/f d/f
                truncate -s 1M g; printf tail >> g; setfattr -n user.0 -v old f; printf x > h; ln -s f a/g
                """)
        var random = RandomSteps(seed: seed)
        let runner = StepRunner(root: bench.mountPoint)
        for step in random.steps(150) { _ = runner.run(step) }
        bench.mount.crash()
        runner.closeAll()
        let expected = try Self.derive(bench, profile, choice)
        let cut = try bench.mount.cutPower(profile, choice)
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

    /// Writes the derived tree to a directory of its own.
    private static func derive(_ bench: Bench, _ profile: Profile, _ choice: Choice) throws -> String {
        var pending = PendingSet(profile: profile, base: bench.mount.base)
        for event in bench.trace.events() { pending.add(event) }
        let path = bench.directory + "/expected"
        _ = Shell.run("mkdir '\(path)'")
        let payloads = try #require(bench.mount.payloads)
        try TreeMaterialiser(payloads: payloads).materialise(
            pending.tree(pending.survivors(choice)), into: ByteString(path))
        return path
    }
}
