import Bytes
import FaultFS
import Glibc
import Model
import Testing

/// With random rules the mount answers like a plain directory except for injected faults, and holds exactly the bytes
/// of the trace.
@Suite(.enabled(if: Bench.canMount), .serialized) struct RuleDifferentialTests {
    /// Faults that programs do not see while mounted.
    private static let unseen = [
        "write p=1/3 -> reorder", "write p=1/8 -> reorder", "fsync p=1/4 -> lie", "fsync p=1/2 -> EIO lose",
        "fsync p=1/3 -> EIO lose xfs", "fdatasync p=1/2 -> EIO lose ext4-journal", "any p=1/40 -> delay 1ms",
    ]
    /// Faults that fail the call without an effect.
    private static let errors = [
        "write p=1/6 -> EIO", "write p=1/5 -> short 100", "any -> quota 60KiB", "any -> quota 30KiB EDQUOT",
        "open p=1/8 -> EMFILE", "create p=1/5 -> ENOSPC", "truncate p=1/4 -> EIO", "allocate p=1/3 -> ENOSPC",
        "mkdir p=1/3 -> ENOSPC", "unlink p=1/4 -> EIO", "rmdir p=1/3 -> EIO", "rename p=1/4 -> EIO",
        "link p=1/3 -> EMLINK", "setxattr p=1/3 -> ENOSPC", "fsync p=1/4 -> EIO", "any p=1/40 -> delay 1ms",
    ]
    /// Faults that change bytes.
    private static let damage = [
        "write p=1/6 -> tear 512", "write p=1/8 -> tear 4096", "write p=1/8 -> drop", "write p=1/6 -> misdirect",
        "fsync p=1/3 -> EIO lose btrfs", "read p=1/3 -> bitflip at-rest", "read p=1/3 -> stale",
    ]

    private static func draw(_ tables: [[String]], _ random: inout RandomStream) throws -> [Rule] {
        try tables.flatMap { table in
            try (0..<2).map { _ in try Rule(parsing: table[Int(random.next(upperBound: UInt64(table.count)))]) }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: 1...40)
    func `only injected faults differ`(seed: UInt64) throws {
        var random = RandomStream(seed: seed).stream("rules")
        let isFailing = seed % 2 == 1
        let rules = try Self.draw(isFailing ? [Self.errors, Self.unseen] : [Self.unseen], &random)
        let bench = try Bench {
            $0.rules = rules
            $0.seed = seed
        }
        _ = Shell.run("mkdir '\(bench.directory)/plain'")
        let plain = StepRunner(root: bench.directory + "/plain")
        let mounted = StepRunner(root: bench.mountPoint)
        var steps = RandomSteps(seed: seed)
        var faultCount = 0
        for (index, step) in steps.steps(300).compactMap({ Self.usable($0, isFailing) }).enumerated() {
            let found = mounted.run(step)
            let faults = bench.mount.injectedFaults.dropFirst(faultCount).map(\.fault)
            faultCount += faults.count
            guard let equal = Self.honest(step, found, faults) else {
                if case .open(let slot, _, _, _) = step { _ = plain.run(.close(slot: slot)) }
                continue
            }
            let expected = plain.run(equal)
            if Self.isSync(step) { continue }
            #expect(found == expected, "seed \(seed), step \(index) \(step), injected \(faults), rules \(rules)")
            if found != expected { return }
        }
        plain.closeAll()
        mounted.closeAll()
        bench.mount.clearRules()
        let (left, right) = (Snapshot.of(bench.directory + "/plain"), Snapshot.of(bench.mountPoint))
        #expect(
            left == right,
            """
            seed \(seed), rules \(rules): plain \(left.filter { !right.contains($0) })
            mounted \(right.filter { !left.contains($0) })
            """)
    }

    /// Whether the step may report the error of a sync that lost data.
    private static func isSync(_ step: Step) -> Bool {
        switch step {
        case .fsync, .fdatasync, .mapWrite: true
        default: false
        }
    }

    /// The step, if it is a single call or its calls cannot fail separately; otherwise nil or a simpler step.
    private static func usable(_ step: Step, _ isFailing: Bool) -> Step? {
        switch step {
        case .mapWrite, .copy: return isFailing ? nil : step
        // With O_SYNC a write can succeed and its sync fail: the result would be ambiguous.
        case .open(let slot, let path, let flags, let mode):
            return .open(slot: slot, path: path, flags: flags & ~O_SYNC, mode: mode)
        default: return step
        }
    }

    /// The step with the same effect on a filesystem without faults; nil if the step had none. A write may reach the
    /// mount in pieces, of which only the first took effect.
    private static func honest(_ step: Step, _ answer: String, _ faults: [DrawnFault]) -> Step? {
        for fault in faults {
            switch (fault, step, Int(answer)) {
            case (.fail, .write(let slot, let count, let fill), let done?),
                (.short, .write(let slot, let count, let fill), let done?):
                #expect(done < count, "\(step) \(faults)")
                return .write(slot: slot, count: done, fill: fill)
            case (.fail, .pwrite(let slot, let offset, let count, let fill), let done?),
                (.short, .pwrite(let slot, let offset, let count, let fill), let done?):
                #expect(done < count, "\(step) \(faults)")
                return .pwrite(slot: slot, offset: offset, count: done, fill: fill)
            case (.fail(let error), _, _):
                #expect(answer == "errno \(error.rawValue)", "\(step) \(faults)")
                return nil
            default: continue
            }
        }
        return step
    }

    /// Whatever was injected, storage holds what the trace says, while mounted and after a power cut.
    @Test(.timeLimit(.minutes(5)), arguments: 1...30)
    func `storage holds what the trace says`(seed: UInt64) throws {
        var random = RandomStream(seed: seed).stream("damage")
        let rules = try Self.draw([Self.damage, Self.unseen, Self.errors], &random)
        let profile = PowerCutTests.profiles[Int(seed) % PowerCutTests.profiles.count]
        let bench = try Bench(
            in: Bench.root(seed),
            prepare: "mkdir -p a/b d; head -c 30000 /dev/urandom > f; head -c 9000 /dev/urandom > a/f; ln a/f d/f"
        ) {
            $0.rules = rules
            $0.seed = seed
            $0.profile = profile
        }
        var steps = RandomSteps(seed: seed)
        let runner = StepRunner(root: bench.mountPoint)
        for step in steps.steps(200) { _ = runner.run(step) }
        bench.mount.crash()
        runner.closeAll()
        let (now, cutTo) = (
            try PowerCutTests.derive(bench, .kill, .everything, "now"),
            try PowerCutTests.derive(bench, profile, .seeded(seed), "cut")
        )
        let stored = Self.withoutSetID(bench.backing)
        let derived = Snapshot.of(now)
        #expect(derived.filter { !stored.contains($0) }.isEmpty, "seed \(seed), rules \(rules)")
        _ = try bench.mount.cutPower(profile, .seeded(seed))
        let (left, right) = (Snapshot.of(cutTo), Self.withoutSetID(bench.backing))
        #expect(left == right, "seed \(seed), rules \(rules)")
    }

    /// A snapshot without set-ID bits of files, which derived crash states do not have.
    private static func withoutSetID(_ directory: String) -> [String] {
        _ = Shell.run("find '\(directory)' ! -type d ! -type l -perm /6000 -exec chmod ug-s {} +")
        return Snapshot.of(directory)
    }
}
