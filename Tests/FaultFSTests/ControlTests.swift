import Bytes
import FaultFS
import Glibc
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
    func directoryIsThereAndCannotBeChanged(script: String, expected: String) throws {
        let bench = try Bench()
        let output = bench.run(script).output
        #expect(expected.hasSuffix("\n") || expected.isEmpty ? output == expected : output.contains(expected))
        #expect(Shell.run("ls -A '\(bench.backing)/.faultline' | grep -c oracle").output == "0\n")
    }

    @Test func commandsAreAnsweredWhenTheWriteReturns() throws {
        let bench = try Bench()
        let output = bench.succeed(": > a; echo status > .faultline/control; cat .faultline/control")
        #expect(output == "power on\nrecording yes\nevents 1\noperations 1\nbarriers 0\noracle-lines 0\nfaults 0\n")
    }

    @Test(arguments: ["echo nonsense", "printf 'status\\nnonsense\\ncrash\\n'", "printf nonsense"])
    func aRefusedCommandSaysWhyAndEndsItsWrite(command: String) throws {
        let bench = try Bench()
        let result = bench.run("{ \(command) > .faultline/control; } 2>&1; cat .faultline/control")
        #expect(result.output.contains("error: 'nonsense' is no command"), "\(result.output)")
        #expect(!bench.mount.isFrozen)
    }

    @Test func anOracleLineThatIsNoneIsRefusedAndSaysWhy() throws {
        let bench = try Bench {
            $0.oracleObjection = { line, number in line.starts(with: "ok".utf8) ? nil : "line \(number): not ok" }
        }
        bench.succeed("echo ok1 > .faultline/oracle; printf ok >> .faultline/oracle; echo 2 >> .faultline/oracle")
        let refused = bench.run("printf 'ok3\\nbad\\nok4\\n' >> .faultline/oracle")
        #expect(refused.status != 0, "\(refused.output)")
        let status = bench.succeed("cat .faultline/status")
        #expect(status.hasSuffix("oracle-lines 3\nfaults 0\noracle-refused line 4: not ok\n"), "\(status)")
        // Nothing of it is left in the way of the next.
        #expect(bench.run("printf ba >> .faultline/oracle; echo d >> .faultline/oracle").status != 0)
        bench.succeed("echo ok5 >> .faultline/oracle")
        #expect(Shell.run("cat '\(bench.oracle)'").output == "ok1\nok2\nok3\nok5\n")
    }

    @Test func severalCommandsInAWriteAndInPieces() throws {
        let bench = try Bench()
        let output = bench.succeed(
            "{ printf 'status\\nsta'; printf 'tus\\n'; } > .faultline/control; cat .faultline/control | grep -c power")
        #expect(output == "1\n")
        bench.succeed("printf crash > .faultline/control")
        #expect(bench.mount.isFrozen)
    }

    @Test func nothingTakesEffectAfterTheCrash() throws {
        let bench = try Bench(prepare: "printf old > f")
        bench.succeed("printf new > g; echo ack >> .faultline/oracle; echo crash > .faultline/control")
        for script in [
            "cat f", "printf x >> f", "printf x > h", "rm g", "mv f h", "mkdir d", "ls", "stat f", "sync f",
            "chmod 600 f",
            "echo late | dd of=.faultline/oracle conv=notrunc oflag=append", "ln f l", "truncate -s 0 f",
        ] {
            #expect(bench.run(script).output.contains("Input/output error"), "\(script)")
        }
        #expect(bench.succeed("cat .faultline/status").hasPrefix("power off, as it was asked for\n"))
        try bench.mount.unmount()
        // What was not synced is lost, unless the crash is told otherwise; the oracle is not on the storage.
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
    func thePowerGoesAtTheCrashPoint(point: CrashPoint, expected: String) throws {
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

    @Test func unmountSucceedsAlthoughAFileIsOpen() throws {
        let bench = try Bench()
        let holder = open(bench.mountPoint + "/f", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        try #require(holder >= 0)
        try bench.mount.unmount()
        #expect(write(holder, "x", 1) == -1)
        close(holder)
        #expect(Shell.run("ls -A '\(bench.mountPoint)'; ls -A '\(bench.backing)'").output == "f\n")
    }

    /// What was stored into a mapping, and not yet sent, is not lost because the mount is taken away by force.
    @Test func unmountKeepsWhatIsMapped() throws {
        let bench = try Bench(prepare: "printf 0123456789 > f")
        let file = open(bench.mountPoint + "/f", O_RDWR | O_CLOEXEC)
        let map = mmap(nil, 10, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        try #require(map != MAP_FAILED)
        close(file)
        map?.storeBytes(of: UInt8(ascii: "x"), toByteOffset: 3, as: UInt8.self)
        try bench.mount.unmount()
        munmap(map, 10)
        #expect(Shell.run("cat '\(bench.backing)/f'").output == "012x456789")
    }

    /// Two mounts of the same files would each change what the other believes to be its own.
    @Test func whatLiesWithinAMountIsNotMountedOnceMore() throws {
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

/// The reason that a hook was given.
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
