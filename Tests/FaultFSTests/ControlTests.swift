import Bytes
import FaultFS
import Glibc
import Model
import Testing

@Suite(.enabled(if: Bench.canMount), .serialized) struct ControlTests {
    @Test(arguments: [
        ("ls -A; find . -mindepth 1", ""),
        ("ls -A .faultline | tr '\\n' ' '", "control crash faults oracle rules status trace unsynced "),
        ("stat -c '%a %F' .faultline .faultline/oracle", "700 directory\n600 regular empty file\n"),
        ("mkdir .faultline", "File exists"), ("rmdir .faultline", "Operation not permitted"),
        ("mv .faultline x", "Operation not permitted"), (": > x; mv x .faultline/y", "Operation not permitted"),
        ("rm .faultline/oracle", "Operation not permitted"), ("chmod 666 .faultline/oracle", "Operation not permitted"),
        ("echo x > .faultline/oracle; cat .faultline/oracle", "x\n"),
        ("ln .faultline/oracle x", "Operation not permitted"),
        ("echo x >> .faultline/status", "Permission denied"), ("cat .faultline/nothing", "No such file"),
    ])
    func `the control directory exists and cannot be changed`(script: String, expected: String) throws {
        let bench = try Bench()
        let output = bench.run(script).output
        #expect(expected.hasSuffix("\n") || expected.isEmpty ? output == expected : output.contains(expected))
        #expect(Shell.run("ls -A '\(bench.backing)/.faultline' | grep -c oracle").output == "0\n")
    }

    @Test func `commands are answered before the write returns`() throws {
        let bench = try Bench()
        let output = bench.succeed(": > a; echo status > .faultline/control; cat .faultline/control")
        #expect(output == "power on\nrecording yes\nevents 1\noperations 1\nbarriers 0\noracle-lines 0\nfaults 0\n")
    }

    @Test(arguments: ["echo nonsense", "printf 'status\\nnonsense\\ncrash\\n'", "printf nonsense"])
    func `a rejected command gives the reason and fails the write`(command: String) throws {
        let bench = try Bench()
        let result = bench.run("{ \(command) > .faultline/control; } 2>&1; cat .faultline/control")
        #expect(result.output.contains("error: 'nonsense' is not a command"), "\(result.output)")
        #expect(!bench.mount.isFrozen)
    }

    /// A write needs no final newline: its commands run, or are rejected, before it returns.
    @Test(arguments: [
        ("printf 'add fsync -> EIO' > .faultline/control", true, "rules", "fsync -> EIO"),
        ("printf 'add fsnc -> EIO' > .faultline/control", false, "status", "control-refused line 1, column 1: "),
        ("printf 'status\\nadd' > .faultline/control", false, "control", "error: 'add' is not a command"),
        ("printf 'effect=bogus' > .faultline/crash", false, "status", "crash-refused effect= must be one of "),
        ("printf 'effect=keep' > .faultline/crash", true, "status", "power off"),
        // An unbuffered program sends the newline in its own write: it ends the previous command.
        ("{ printf effect=keep; echo; } > .faultline/crash", true, "status", "power off"),
        ("{ printf 'add fsync -> EIO'; echo; } > .faultline/control", true, "control", "rule 1\n"),
        // A later write does not continue a command.
        ("{ printf sta; printf 'tus\\n'; } > .faultline/control", false, "control", "error: 'tus' is not a command"),
        ("printf ok1 > .faultline/oracle", true, "oracle", "ok1\n"),
        ("printf 'ok1\\nbad' > .faultline/oracle", false, "status", "oracle-refused line 2: not ok\n"),
    ])
    func `a write without a newline is checked at once`(script: String, isDone: Bool, file: String, says: String) throws
    {
        let bench = try Bench { $0.judgeOracleLine = Self.judge }
        let result = bench.run(script)
        #expect((result.status == 0) == isDone, "\(result)")
        let text = bench.succeed("cat .faultline/\(file)")
        #expect(text.contains(says) && !text.contains("^"), "\(text)")
        #expect(bench.mount.isFrozen == (isDone && script.contains("crash")))
    }

    /// A valid line is `ok` and a digit.
    @Sendable private static func judge(_ line: ArraySlice<UInt8>, _ number: Int) -> OracleLineJudgement {
        let text = String(decoding: line, as: UTF8.self)
        if text.count == 3, text.hasPrefix("ok"), text.last!.isNumber { return .complete }
        return "ok".hasPrefix(text)
            ? .partial(reason: "line \(number): no digit") : .invalid(reason: "line \(number): not ok")
    }

    @Test func `an invalid oracle line is rejected with a reason`() throws {
        let bench = try Bench { $0.judgeOracleLine = Self.judge }
        bench.succeed("echo ok1 > .faultline/oracle; { printf ok; echo 2; } >> .faultline/oracle")
        let refused = bench.run("printf 'ok3\\nbad\\nok4\\n' >> .faultline/oracle")
        #expect(refused.status != 0, "\(refused.output)")
        let status = bench.succeed("cat .faultline/status")
        #expect(status.hasSuffix("oracle-lines 3\nfaults 0\noracle-refused line 4: not ok\n"), "\(status)")
        // The rejected line does not affect the next one.
        #expect(bench.run("printf ba >> .faultline/oracle").status != 0)
        bench.succeed("echo ok5 >> .faultline/oracle")
        #expect(Shell.run("cat '\(bench.oracle)'").output == "ok1\nok2\nok3\nok5\n")
    }

    /// Lines written in pieces, and the lines that the oracle then has.
    @Test(arguments: [
        ("{ printf o; printf k; printf '1\\n'; } > .faultline/oracle", "ok1 "),
        ("{ printf o; printf k1; printf ok2; echo; echo ok3; } > .faultline/oracle", "ok1 ok2 ok3 "),
        ("{ printf ok1; printf ' \\n'; printf ok2; } > .faultline/oracle", "ok1 ok2 "),
        // Written by child processes: each closes its copy of the shell's descriptor.
        ("{ /usr/bin/printf o; /usr/bin/printf 'k1\\n'; } > .faultline/oracle", "ok1 "),
        // By two writers in sequence, as in any file.
        ("printf o >> .faultline/oracle; printf 'k1\\nok2\\n' >> .faultline/oracle", "ok1 ok2 "),
        // By concurrent writers: each has its own partial line.
        (
            "exec 5>>.faultline/oracle 6>>.faultline/oracle; printf o >&5; printf ok2 >&6; printf ok >&6; printf 'k1\\n' >&5; echo 3 >&6",
            "ok2 ok1 ok3 "
        ),
        // A partial line that nobody completes is dropped.
        ("printf o >> .faultline/oracle; echo ok2 >> .faultline/oracle; echo ok3 >> .faultline/oracle", "ok2 ok3 "),
    ])
    func `an oracle line may be written in pieces`(script: String, lines: String) throws {
        let bench = try Bench { $0.judgeOracleLine = Self.judge }
        bench.succeed(script)
        #expect(Shell.run("tr '\\n' ' ' < '\(bench.oracle)'").output == lines)
        let recorded = lines.split(separator: " ").map { "oracle '\($0)'\n" }.joined()
        #expect(bench.trace.text == recorded)
        #expect(!bench.succeed("cat .faultline/status").contains("refused"))
    }

    @Test(arguments: ["", ",fsync"]) func `a close or sync within a line fails`(flags: String) throws {
        let bench = try Bench { $0.judgeOracleLine = Self.judge }
        let result = bench.run("printf ok | dd of=.faultline/oracle conv=notrunc\(flags)")
        #expect(result.status != 0 && result.output.contains("Invalid argument"), "\(result)")
        #expect(bench.succeed("cat .faultline/status").hasSuffix("\noracle-unfinished line 1: no digit\n"))
        bench.succeed("echo 7 >> .faultline/oracle")
        #expect(!bench.succeed("cat .faultline/status; cat .faultline/oracle").contains("unfinished"))
        #expect(Shell.run("cat '\(bench.oracle)'").output == "ok7\n")
    }

    /// All commands of a write are checked before any runs.
    @Test(arguments: [
        ("add fsync -> EIO\\nadd bad\\n", 2, 2), ("add fsync -> EIO\\nremove 9\\nstatus", 2, 3),
        ("clear\\nremove 1", 2, 2), ("remove 1\\nremove 1", 2, 2), ("remove 1\\nadd write -> EIO\\nremove 3", 3, 3),
        ("crash\\ncrash effect=bogus", 2, 2), ("crash\\nunmount", 2, 2), ("clear\\nadd lock -> EIO", 2, 2),
    ])
    func `all commands of a write run or none`(commands: String, wrong: Int, count: Int) throws {
        let bench = try Bench { $0.rules = [try! Rule(parsing: "mkdir nth=9 -> EIO")] }
        #expect(bench.run("printf '\(commands)' > .faultline/control").status != 0)
        let answer = bench.succeed("cat .faultline/control")
        #expect(answer.hasPrefix("error: "), "\(answer)")
        #expect(answer.hasSuffix("command \(wrong) of \(count); none was run\n"), "\(answer)")
        #expect(bench.succeed("cat .faultline/rules") == "1  matched 0  fired 0  mkdir nth=9 -> EIO\n")
        #expect(!bench.mount.isFrozen)
        // Rule numbers are checked as of their line.
        bench.succeed("printf 'add fsync -> EIO\\nremove 2\\nremove 1\\n' > .faultline/control")
        #expect(bench.succeed("cat .faultline/control .faultline/rules") == "rule 2\nok\nok\n")
    }

    /// The words of a crash may be on several lines.
    @Test(arguments: [
        ("effect=torn\\nseed=7", true), ("effect=torn\\nseed=7\\n", true), ("\\neffect=keep\\n\\n", true),
        ("\\n", true),
        ("effect=torn\\nseed=x", false), ("effect=torn\\neffect=keep", false), ("effect=torn\\ncrash", false),
    ])
    func `a crash takes all its lines`(words: String, isTaken: Bool) throws {
        let bench = try Bench()
        #expect((bench.run("printf '\(words)' > .faultline/crash").status == 0) == isTaken)
        #expect(bench.mount.isFrozen == isTaken, "\(bench.run("cat .faultline/crash"))")
    }

    @Test func `a write may have several commands`() throws {
        let bench = try Bench()
        let output = bench.succeed(
            "printf 'status\\nrules\\nstatus\\n' > .faultline/control; grep -c power .faultline/control")
        #expect(output == "2\n")
        bench.succeed("printf crash > .faultline/control")
        #expect(bench.mount.isFrozen)
    }

    @Test func `nothing takes effect after the crash`() throws {
        let bench = try Bench(prepare: "printf old > f")
        bench.succeed("printf new > g; echo ack >> .faultline/oracle; echo crash > .faultline/control")
        for script in [
            "cat f", "printf x >> f", "printf x > h", "rm g", "mv f h", "mkdir d", "ls", "stat f", "sync f",
            "chmod 600 f",
            "echo late | dd of=.faultline/oracle conv=notrunc oflag=append", "ln f l", "truncate -s 0 f",
        ] {
            #expect(bench.run(script).output.contains("Input/output error"), "\(script)")
        }
        #expect(bench.succeed("cat .faultline/status").hasPrefix("power off, on request\n"))
        try bench.mount.unmount()
        // By default a crash loses all unsynced changes; the oracle is not on the storage.
        #expect(Shell.run("cd '\(bench.backing)' && ls -A && cat f ../oracle").output == "f\noldack\n")
    }

    @Test(arguments: [
        (CrashPoint(.after, 3, .events), "1 create 2 file 644 1/a|2 write 2 at 0 'x'|oracle 'l1'"),
        (CrashPoint(.before, 3, .events), "1 create 2 file 644 1/a|2 write 2 at 0 'x'"),
        (CrashPoint(.after, 1, .operations), "1 create 2 file 644 1/a"),
        (CrashPoint(.before, 2, .operations), "1 create 2 file 644 1/a"),
        (CrashPoint(.before, 1, .barriers), "1 create 2 file 644 1/a|2 write 2 at 0 'x'|oracle 'l1'"),
        (
            CrashPoint(.after, 1, .barriers),
            "1 create 2 file 644 1/a|2 write 2 at 0 'x'|oracle 'l1'|3 fsync 2 began|3 ended"
        ),
        (CrashPoint(.before, 5, .events), "1 create 2 file 644 1/a|2 write 2 at 0 'x'|oracle 'l1'|3 fsync 2 began"),
        (
            CrashPoint(.before, 3, .oracleLines),
            "1 create 2 file 644 1/a|2 write 2 at 0 'x'|oracle 'l1'|3 fsync 2 began|3 ended|oracle 'l2'"
        ),
    ])
    func `the power is cut at the crash point`(point: CrashPoint, expected: String) throws {
        let frozen = Frozen()
        let bench = try Bench {
            $0.crashPoint = point
            $0.onFreeze = { frozen.set($0) }
        }
        _ = bench.run(
            "printf x > a; echo l1 >> .faultline/oracle; sync a; printf 'l2\\nl3\\n' >> .faultline/oracle; mkdir d")
        #expect(bench.trace.text == expected.split(separator: "|").map { $0 + "\n" }.joined())
        #expect(frozen.wait() == .crashPoint(point))
    }

    @Test func `unmount succeeds although a file is open`() throws {
        let bench = try Bench()
        let holder = open(bench.mountPoint + "/f", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        try #require(holder >= 0)
        try bench.mount.unmount()
        #expect(write(holder, "x", 1) == -1)
        close(holder)
        #expect(Shell.run("ls -A '\(bench.mountPoint)'; ls -A '\(bench.backing)'").output == "f\n")
    }

    /// A forced unmount keeps dirty pages of shared mappings.
    @Test func `unmount keeps dirty mapped pages`() throws {
        // Many pages: syncfs(2) returns before the kernel has sent them all.
        let pages = 2000
        let bench = try Bench(prepare: "truncate -s \(pages * 4096) f")
        let file = open(bench.mountPoint + "/f", O_RDWR | O_CLOEXEC)
        let map = mmap(nil, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        try #require(map != MAP_FAILED)
        close(file)
        for page in 0..<pages where page % 2 == 0 {
            map?.storeBytes(of: UInt8(ascii: "x"), toByteOffset: page * 4096 + 3, as: UInt8.self)
        }
        try bench.mount.unmount()
        munmap(map, pages * 4096)
        #expect(Shell.run("tr -d '\\000' < '\(bench.backing)/f' | wc -c").output == "\(pages / 2)\n")
    }

    /// Each of two mounts of the same files would rely on being the only writer.
    @Test func `a directory within a mounted one cannot be mounted`() throws {
        let bench = try Bench(prepare: "mkdir d ../other")
        let other = ByteString(bench.directory + "/other")
        let within = ByteString(bench.backing + "/d")
        #expect(throws: MountError.self) {
            try FaultMount(backing: within, mountPoint: other, options: MountOptions()).start()
        }
        try bench.mount.unmount()
        let inner = try FaultMount(backing: within, mountPoint: other, options: MountOptions())
        try inner.start()
        let around = try FaultMount(
            backing: ByteString(bench.backing), mountPoint: ByteString(bench.mountPoint), options: MountOptions())
        #expect(throws: MountError.self) { try around.start() }
        try inner.unmount()
        #expect(Shell.run("ls -A '\(bench.backing)'").output == "d\n")
    }
}

/// Receives the reason of a freeze from the hook.
final class Frozen: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private var reason: FreezeReason?

    init() { sem_init(semaphore, 0, 0) }

    func set(_ reason: FreezeReason) {
        self.reason = reason
        sem_post(semaphore)
    }

    /// Waits up to five seconds.
    func wait() -> FreezeReason? {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += 5
        return sem_timedwait(semaphore, &deadline) == 0 ? reason : nil
    }
}
