import Bytes
import FaultFS
import Glibc
import Model
import Testing

/// Rules fire on the calls they match, have their effect, and are recorded in the trace.
@Suite(.enabled(if: Bench.canMount), .serialized) struct FaultTests {
    /// A rule, a script to run in the mount, its output, and the trace.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            (
                "write path=f nth=2 -> EIO", "printf a > f; printf b >> f || echo failed; printf c >> f; cat f",
                "failed\nac",
                "1 create 2 file 644 1/f|2 write 2 at 0 'a'|3 fault write path=f nth=2 -> EIO|4 write 2 at 1 'c'"
            ),
            (
                "write path=f nth=1 -> short 3", "printf 12345 > f; cat f", "12345",
                "1 create 2 file 644 1/f|2 fault write path=f nth=1 -> short 3|2 write 2 at 0 '123'|3 write 2 at 3 '45'"
            ),
            (
                "write path=f nth=1 -> drop", "printf 12345 > f; stat -c %s f", "5\n",
                "1 create 2 file 644 1/f|2 fault write path=f nth=1 -> drop|2 truncate 2 to 5"
            ),
            (
                "fsync path=f -> lie", "printf x > f; sync f && echo synced", "synced\n",
                "1 create 2 file 644 1/f|2 write 2 at 0 'x'|3 fault fsync path=f -> lie"
            ),
            (
                "fsync path=f -> EIO", "printf x > f; sync f || echo failed", "failed\n",
                "1 create 2 file 644 1/f|2 write 2 at 0 'x'|3 fault fsync path=f -> EIO|3 fsync 2 began|3 ended errno 5"
            ),
            (
                "read path=f nth=2 -> EIO",
                "python3 -c 'import os; f=os.open(\"f\",os.O_RDWR|os.O_CREAT); os.write(f,b\"x\"); print(os.pread(f,1,0)); os.pread(f,1,0)' || echo failed",
                "b'x'\nfailed\n",
                "1 create 2 file 755 1/f|2 write 2 at 0 'x'|9223372036854775809 fault read path=f nth=2 -> EIO"
            ),
            ("mkdir path=d -> ENOSPC", "mkdir d || echo failed", "failed\n", "1 fault mkdir path=d -> ENOSPC"),
            (
                "rename path=b nth=1 -> EXDEV", ": > a; python3 -c 'import os; os.rename(\"a\",\"b\")' || ls", "a\n",
                "1 create 2 file 644 1/a|2 fault rename path=b nth=1 -> EXDEV"
            ),
            (
                "any path=** -> quota 8 ENOSPC",
                "printf 12345 > f; printf 12345 > g || echo full; rm f; printf 1234 >> g; stat -c %s g", "full\n7\n",
                """
                1 create 2 file 644 1/f|2 write 2 at 0 '12345'|3 create 3 file 644 1/g|4 fault any path=** -> quota 8|\
                4 write 3 at 0 '123'|5 fault any path=** -> quota 8|6 unlink 1/f|7 write 3 at 3 '1234'
                """
            ),
        ])
    func `rules fire`(rule: String, script: String, output: String, trace: String) throws {
        let rule = try Rule(parsing: rule)
        let bench = try Bench { $0.rules = [rule] }
        let found = bench.run("{ \(script)\n} 2>/dev/null").output
        #expect(found == output)
        #expect(bench.trace.text == trace.split(separator: "|").map { $0 + "\n" }.joined())
    }

    @Test func `torn and misdirected writes match the trace`() throws {
        let rules = try ["write path=t nth=1 -> tear 512", "write path=m nth=1 -> misdirect"].map {
            try Rule(parsing: $0)
        }
        let bench = try Bench(prepare: "head -c 65536 /dev/zero > m; cp m t") {
            $0.rules = rules
            $0.seed = 7
        }
        for name in ["t", "m"] {
            bench.succeed(
                "tr '\\0' x < /dev/zero | dd of=\(name) bs=4096 count=1 seek=2 conv=notrunc iflag=fullblock status=none"
            )
        }
        var pending = PendingSet(profile: .kill, base: bench.mount.base)
        for event in bench.trace.events() { pending.add(event) }
        let (kept, faults) = (
            Shell.run("tr -d '\\0' < '\(bench.backing)/t' | wc -c").output, bench.mount.injectedFaults
        )
        #expect(faults.count == 2)
        guard case .tear(let lost)? = faults.first?.fault, case .misdirect(let place)? = faults.last?.fault else {
            Issue.record("\(faults)")
            return
        }
        #expect(kept == "\(4096 - lost.count)\n")
        let first = Shell.run("grep -obUa x '\(bench.backing)/m' | head -1 | cut -d: -f1").output
        #expect(first == "\(place)\n")
    }

    @Test(arguments: [("", "new"), ("xfs", "new"), ("btrfs", "old")])
    func `a failed sync loses data`(loss: String, seen: String) throws {
        let rule = try Rule(parsing: "fsync path=f nth=2 -> EIO lose \(loss)")
        let bench = try Bench { $0.rules = [rule] }
        bench.succeed(
            """
            printf old > f; sync f; printf new | dd of=f conv=notrunc status=none
            ! sync f || exit 1; sleep 0.2
            """)
        #expect(bench.succeed("cat f") == seen)
        #expect(Shell.run("cat '\(bench.backing)/f'").output == "old")
        // The next sync succeeds but does not save the lost data.
        bench.succeed("sync f")
        try bench.mount.unmount()
        #expect(Shell.run("cat '\(bench.backing)/f'").output == "old")
    }

    @Test func `a bitflip is in transit or at rest`() throws {
        let rules = try ["read path=a nth=1 -> bitflip", "read path=b nth=1 -> bitflip at-rest"].map {
            try Rule(parsing: $0)
        }
        let bench = try Bench(prepare: "printf aaaa > a; printf bbbb > b") { $0.rules = rules }
        #expect(bench.succeed("cat a") != "aaaa")
        #expect(bench.succeed("cat a") == "aaaa")
        let wrong = bench.succeed("cat b")
        #expect(wrong != "bbbb")
        #expect(bench.succeed("cat b") == wrong)
        #expect(Shell.run("cat '\(bench.backing)/b'").output == wrong)
    }

    @Test func `a delay does not delay other calls`() throws {
        let rule = try Rule(parsing: "fsync path=slow -> delay 400ms")
        let bench = try Bench { $0.rules = [rule] }
        let output = bench.succeed(
            """
            : > slow; : > quick
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (sync slow; echo slow) & done
            sleep 0.1; sync quick; echo quick; wait
            """)
        #expect(output.hasPrefix("quick\n"))
        #expect(output.split(separator: "\n").count == 21)
    }

    @Test(arguments: [
        ("crash", "1 create 2 file 644 1/f|2 fault write -> crash"),
        ("crash after", "1 create 2 file 644 1/f|2 fault write -> crash after|2 write 2 at 0 'x'"),
    ])
    func `a rule cuts the power`(fault: String, trace: String) throws {
        let rule = try Rule(parsing: "write -> \(fault)")
        let bench = try Bench { $0.rules = [rule] }
        #expect(bench.run("printf x > f").status != 0)
        #expect(bench.mount.isFrozen)
        #expect(bench.trace.text == trace.split(separator: "|").map { $0 + "\n" }.joined())
    }

    @Test func `the control file adds and removes rules`() throws {
        let bench = try Bench()
        bench.succeed("printf 'add write path=f -> EIO\\nadd mkdir nth=2 -> ENOSPC\\n' > .faultline/control")
        #expect(bench.succeed("cat .faultline/control") == "rule 1\nrule 2\n")
        bench.succeed("! printf x > f; mkdir a; ! mkdir b; echo 'remove 1' > .faultline/control; printf x > f")
        #expect(bench.succeed("cat .faultline/rules") == "2  matched 2  fired 1  mkdir nth=2 -> ENOSPC\n")
        #expect(bench.succeed("grep -c -- '->' .faultline/faults") == "2\n")
        for command in ["add nonsense", "add write -> ENOSYS", "add lock -> EIO", "remove 9"] {
            #expect(bench.run("echo '\(command)' > .faultline/control").status != 0, "\(command)")
            #expect(bench.succeed("cat .faultline/control").hasPrefix("error: "), "\(command)")
        }
    }

    /// The same seed and calls give the same faults. Replaying the fault script gives them again without rules.
    @Test func `faults are reproducible`() throws {
        let rules = try [
            "write p=1/3 -> tear 512", "fsync p=1/4 -> EIO", "mkdir p=1/2 -> ENOSPC", "unlink p=1/3 -> EIO",
            "read p=1/3 -> bitflip", "getxattr p=1/2 -> EIO",
        ].map { try Rule(parsing: $0) }
        func faults(_ configure: (inout MountOptions) -> Void) throws -> [InjectedFault] {
            let bench = try Bench(configure: configure)
            var random = RandomSteps(seed: 5)
            let runner = StepRunner(root: bench.mountPoint)
            for step in random.steps(400) { _ = runner.run(step) }
            runner.closeAll()
            return bench.mount.injectedFaults
        }
        let first = try faults {
            $0.rules = rules
            $0.seed = 3
        }
        #expect(first.count { !$0.kind.isBarrier && $0.operation.rawValue < 1 << 63 } > 5)
        #expect(first.count { $0.kind == .read } > 2)
        let again = try faults {
            $0.rules = rules
            $0.seed = 3
        }
        #expect(first == again)
        let replayed = try faults { $0.script = ScriptedFaults(first) }
        #expect(first.map(Self.words) == replayed.map(Self.words))
        let other = try faults {
            $0.rules = rules
            $0.seed = 4
        }
        #expect(first != other)
    }

    private static func words(_ fault: InjectedFault) -> String {
        "\(fault.operation) \(fault.kind) \(fault.path) \(fault.fault)"
    }
}
