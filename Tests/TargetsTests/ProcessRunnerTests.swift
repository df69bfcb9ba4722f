import Bytes
import CPlatform
import Glibc
import Platform
import Testing

@testable import Targets

@Suite struct ProcessRunnerTests {
    @Test(arguments: [
        ("exit 0", Termination.exited(code: 0)),
        ("exit 7", .exited(code: 7)),
        ("kill -TERM $$", .signalled(SIGTERM)),
        ("kill -SEGV $$", .signalled(SIGSEGV)),
        ("sleep 1000", .timedOut),
        ("trap '' TERM INT HUP; while :; do sleep 1000; done", .timedOut),
        ("kill -STOP $$", .timedOut),
    ])
    func `reports how a process ended`(script: String, expected: Termination) throws {
        let limit = expected == .timedOut ? 200 : 20_000
        let (termination, process) = try ProcessRunner.run(shell(script), timeoutMilliseconds: limit)
        #expect(termination == expected)
        #expect(!isAlive(process.processID))
    }

    @Test func `passes arguments, environment and directory unchanged`() throws {
        var command = Command(
            [
                "sh", "-c", "printf '%s|' \"$@\" \"$NAME\"; pwd; env | sort | tr '\\n' ' '", "sh", "a b", "$HOME",
                "\u{e9}*",
            ])
        command.environment = ["NAME": "x y", "PATH": "/usr/bin:/bin"]
        command.directory = "/usr"
        command.output = .pipe
        let process = try ProcessRunner.start(command)
        let text = String(decoding: try readAll(process), as: UTF8.self)
        #expect(try process.waitOrKill(timeoutMilliseconds: 20_000) == .exited(code: 0))
        #expect(text.hasPrefix("a b|$HOME|\u{e9}*|x y|/usr\n"))
        #expect(!text.contains("HOME=") && text.contains("NAME=x y"))
    }

    @Test func `starts with three descriptors and default signals`() throws {
        signal(SIGUSR2, SIG_IGN)
        defer { signal(SIGUSR2, SIG_DFL) }
        let leaked = open("/dev/null", O_RDONLY)  // not close-on-exec, on purpose
        defer { close(leaked) }
        var command = shell(
            "for f in /proc/$$/fd/*; do [ -e $f ] && printf '%s ' ${f##*/}; done; grep -E 'Sig(Blk|Ign)' /proc/$$/status | tr -d '\\t\\n'"
        )
        command.output = .pipe
        let process = try ProcessRunner.start(command)
        let text = String(decoding: try readAll(process), as: UTF8.self)
        try process.killTree()
        #expect(text == "0 1 2 SigBlk:0000000000000000SigIgn:0000000000000000")
    }

    @Test(arguments: [
        (["/nonexistent/program"], "cannot run /nonexistent/program: No such file or directory"),
        (["no-such-program-anywhere"], "command not found: no-such-program-anywhere"),
        (["/etc/passwd"], "cannot run /etc/passwd: Permission denied"),
        (["a\u{0}b"], "an argument with a zero byte cannot be passed to a process: a\\x00b"),
        ([], "a command needs at least one argument: the program"),
    ])
    func `a program that cannot be executed is an error`(arguments: [String], expected: String) {
        let error = #expect(throws: TargetError.self) {
            try ProcessRunner.start(Command(arguments.map { ByteString($0) }))
        }
        #expect(error?.description == expected)
    }

    @Test func `a missing directory is an error`() {
        var command = shell("true")
        command.directory = "/nonexistent"
        let error = #expect(throws: TargetError.self) { try ProcessRunner.start(command) }
        #expect(error?.description == "chdir /nonexistent: No such file or directory")
    }

    @Test func `a mebibyte on standard error does not block and keeps both ends`() throws {
        let script = "echo first >&2; head -c 1048576 /dev/zero | tr '\\0' x >&2; echo last >&2"
        let (termination, process) = try ProcessRunner.run(shell(script), timeoutMilliseconds: 20_000)
        let kept = String(decoding: process.standardError.bytes, as: UTF8.self)
        #expect(termination == .exited(code: 0))
        #expect(kept.hasPrefix("first\nxxx") && kept.hasSuffix("xxxlast\n"))
        #expect(kept.contains("bytes omitted]") && kept.utf8.count < 10_000)
    }

    @Test(arguments: [
        "sleep 1000 & echo $! >> pids; sleep 1000",  // a child
        "(sleep 1000 & echo $! >> pids; sleep 1000) & sleep 1000",  // a grandchild
        "setsid sh -c 'echo $$ >> pids; exec sleep 1000' & sleep 1000",  // one that left the group and the session
        "(setsid sh -c 'echo $$ >> pids; exec sleep 1000' &) ; sleep 1000",  // a daemon, its parent gone
        "(setsid env -i sh -c 'echo $$ >> pids; exec sleep 1000' &) ; sleep 1000",  // that hides its origin
        "(setsid sh -c '(setsid sh -c \"echo \\$\\$ >> pids; exec sleep 1000\" &); exec sleep 1000' &) ; sleep 1000",
        "(setsid env -i sh -c 'echo $$ >> pids; exec sleep 1000' &) ; while [ ! -s pids ]; do sleep 0.01; done",
    ])
    func `kills all descendants`(script: String) throws {
        let folder = try TemporaryFolder()
        var command = shell(script)
        command.directory = folder.path
        let process = try ProcessRunner.start(command)
        let below = try #require(try folder.eventually { numbers(try? folder.read("pids")).first })
        #expect(isAlive(below))
        try process.killTree()
        #expect(!isAlive(process.processID))
        #expect(!isAlive(below))
    }

    @Test(arguments: [0, 1000]) func `killing one tree leaves the daemons of others`(motherLivesSeconds: Int) throws {
        let folder = try TemporaryFolder()
        // Double-forked, without the identifying variable. Its parent lives long enough to be noted with it, even on a
        // busy machine: a daemon of a parent that ends at once cannot be assigned.
        var command = shell(
            "(setsid env -i sh -c 'echo $$ > daemon; exec sleep 1000' &); sleep 2; sleep \(motherLivesSeconds)")
        command.directory = folder.path
        let mother = try ProcessRunner.start(command)
        let daemon = try #require(try folder.eventually { numbers(try? folder.read("daemon")).first })
        if motherLivesSeconds == 0 { #expect(try mother.wait(timeoutMilliseconds: 20_000) == .exited(code: 0)) }
        _ = try ProcessRunner.run(shell("sleep 1000"), timeoutMilliseconds: 50)
        #expect(isAlive(daemon))
        try mother.killTree()
        #expect(!isAlive(daemon))
    }

    /// Processes of another Faultline, or that are meant to survive, are not killed.
    @Test(arguments: [true, false]) func `daemons of others are left alone`(areNobodys: Bool) throws {
        let folder = try TemporaryFolder()
        // A mark of pid 1, which is alive, so that a concurrent cleanup does not consider it a stray.
        let namespace = try #require(ProcessTable.ownNamespace)
        let mark = areNobodys ? "nobody" : "1.\(try #require(ProcessTable.startTicks(of: 1))).1.\(namespace)"
        var command = shell(
            "(setsid env FAULTLINE_SPAWN=\(mark) sh -c 'echo $$ > daemon; exec sleep 1000' &); "
                + "while [ ! -s daemon ]; do sleep 0.01; done")
        command.directory = folder.path
        let mother = try ProcessRunner.start(command)
        let daemon = try #require(try folder.eventually { numbers(try? folder.read("daemon")).first })
        defer { kill(daemon, SIGKILL) }
        #expect(try mother.wait(timeoutMilliseconds: 20_000) == .exited(code: 0))
        try mother.killTree()
        _ = try ProcessRunner.run(shell("sleep 1000"), timeoutMilliseconds: 50)
        #expect(isAlive(daemon))
    }

    /// An invented namespace, so that a concurrent cleanup ignores these processes.
    private static let namespace: UInt32 = 7
    private static let deadLimit = SpawnMark(process: 4_000_000, startTicks: 1, serial: 1, namespace: namespace).limit
    private static let reusedLimit = SpawnMark(process: 1, startTicks: 1 << 40, serial: 1, namespace: namespace).limit
    private static var livingMark: SpawnMark {
        SpawnMark(
            process: getpid(), startTicks: ProcessTable.startTicks(of: getpid())!, serial: 1, namespace: namespace)
    }

    @Test(arguments: [
        ("exec sleep 1000", false),
        ("exec env -i sleep 1000", false),
        ("exec env FAULTLINE_SPAWN=2000000000.1.1.7 sleep 1000", true),
        ("exec env FAULTLINE_SPAWN=$PPID.1.1.7 sleep 1000", true),  // the id is in use again, by another
        ("exec env FAULTLINE_SPAWN=\(livingMark.text) sleep 1000", false),
        ("exec env FAULTLINE_SPAWN=2000000000.1.1.8 sleep 1000", false),  // of another namespace
        ("exec env FAULTLINE_SPAWN=2000000000.1.1 sleep 1000", false),
        ("exec env FAULTLINE_SPAWN=nonsense sleep 1000", false),
        ("exec prlimit --locks=\(deadLimit): env -i sleep 1000", true),  // wiped its environment
        ("exec prlimit --locks=\(reusedLimit): env -i sleep 1000", true),
        ("exec prlimit --locks=\(livingMark.limit): env -i sleep 1000", false),
        ("exec prlimit --locks=\(deadLimit): env -i FAULTLINE_SPAWN=nobody sleep 1000", false),
        ("exec prlimit --locks=1000: env -i sleep 1000", false),
        // An invalid mark does not hide the limit.
        ("exec prlimit --locks=\(deadLimit): env FAULTLINE_SPAWN=garbage sleep 1000", true),
        ("exec prlimit --locks=\(deadLimit): env FAULTLINE_SPAWN= sleep 1000", true),
        ("exec prlimit --locks=\(deadLimit): env FAULTLINE_SPAWN=2000000000.1.1.8 sleep 1000", true),
        ("exec prlimit --locks=\(deadLimit): env FAULTLINE_SPAWN=\(livingMark.text) sleep 1000", false),
    ])
    func `a stray is a process that outlived its Faultline`(script: String, expected: Bool) throws {
        let process = try startSleeping(script)
        let found = try StrayProcesses.all(in: Self.namespace).first { $0.process == process.processID }
        #expect((found != nil) == expected)
        let stray = StrayProcesses.Stray(process: process.processID, name: "sleep")
        #expect(found == nil || found == stray)
        #expect(StrayProcesses.end(stray, in: Self.namespace) == (expected ? .ended : .gone))
        #expect(try process.wait(timeoutMilliseconds: expected ? 20_000 : 0) == (expected ? .signalled(SIGKILL) : nil))
        #expect(StrayProcesses.end(stray, in: Self.namespace) == .gone)
        try process.killTree()
    }

    /// It continues as another process in its own session every few milliseconds.
    @Test func `a hopping stray is caught`() throws {
        let folder = try TemporaryFolder()
        var command = shell(
            "echo 'echo $$ > hop; sleep 0.005; setsid -f sh hop.sh' > hop.sh; "
                + "exec env FAULTLINE_SPAWN=2000000000.1.1.7 setsid -f sh hop.sh")
        command.directory = folder.path
        let mother = try ProcessRunner.start(command)
        _ = try #require(try folder.eventually { numbers(try? folder.read("hop")).first })
        var search = StraySearch(in: Self.namespace)
        var (killedCount, quiet) = (0, 0)
        while quiet < 50 {
            let sweep = try search.sweep { stray in
                if StrayProcesses.end(stray, in: Self.namespace) == .ended { killedCount += 1 }
            }
            quiet = sweep.strayCount == 0 ? quiet + 1 : 0
        }
        #expect(killedCount > 0)
        let last = try folder.read("hop")
        usleep(200_000)
        #expect(try folder.read("hop") == last)
        try mother.killTree()
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func `a stray of another user is reported and not killed`() throws {
        let process = try startSleeping(
            "exec setpriv --reuid 65534 --regid 65534 --clear-groups env FAULTLINE_SPAWN=2000000000.1.1.7 sleep 1000")
        let stray = try #require(
            try StrayProcesses.all(in: Self.namespace).first { $0.process == process.processID })
        #expect(stray.reasonNotToKill == "it belongs to user 65534")
        #expect(StrayProcesses.end(stray, in: Self.namespace) == .gone)
        #expect(isAlive(process.processID))
        try process.killTree()
    }

    /// A process that clears its environment and descriptors keeps the mark.
    @Test func `the mark survives a cleared environment and closed descriptors`() throws {
        let folder = try TemporaryFolder()
        var command = shell(
            "(setsid env -i sh -c 'exec <&- >&- 2>&-; echo $$ > daemon; exec sleep 1000' &); while [ ! -s daemon ]; do sleep 0.01; done"
        )
        command.directory = folder.path
        let mother = try ProcessRunner.start(command)
        let daemon = try #require(try folder.eventually { numbers(try? folder.read("daemon")).first })
        let limit = try #require(ProcessTable.lockLimit(of: daemon))
        #expect(limit == SpawnMark(ours: 1).limit)
        let mark = SpawnMark.process(ofLimit: limit, namespace: try #require(ProcessTable.ownNamespace))
        #expect(mark?.process == getpid())
        #expect(SpawnMark.isSameStart(try #require(ProcessTable.startTicks(of: getpid())), asInLimit: mark!.startTicks))
        try mother.killTree()
        #expect(!isAlive(daemon))
    }

    private func startSleeping(_ script: String) throws -> ChildProcess {
        let process = try ProcessRunner.start(shell(script))
        let hasExecuted = try TemporaryFolder().eventually {
            String(decoding: try readFile(ByteString("/proc/\(process.processID)/comm")), as: UTF8.self) == "sleep\n"
                ? true : nil
        }
        try #require(hasExecuted == true)
        return process
    }

    @Test func `children outlive the requesting thread`() throws {
        let box = Box<ChildProcess>()
        onThread { box.value = try? ProcessRunner.start(shell("sleep 1000")) }
        let process = try #require(box.value)
        #expect(try process.wait(timeoutMilliseconds: 200) == nil)
        try process.killTree()
    }

    @Test func `children die with the spawning thread`() throws {
        // The spawning thread, like the keeper's when the process is killed.
        let keeper = try ProcessKeeper.shared()
        let box = Box<faultline_spawn_result>()
        onThread {
            box.value = keeper.family.withLock { family in
                let result = CStringArray(["sleep", "1000"]).withPointers { arguments in
                    var request = faultline_spawn_request()
                    return "/bin/sleep".withCString { path in
                        request.executable = path
                        request.arguments = arguments
                        request.environment = UnsafePointer(environ)
                        request.streams = (0, 1, 2, -1)
                        return faultline_spawn(&request)
                    }
                }
                family.add(root: result.pid, serial: 0)  // else another test would take it for an orphan
                return result
            }
        }
        let child = try #require(box.value)
        defer { close(child.pidfd) }
        #expect(child.stage == FAULTLINE_SPAWN_OK)
        #expect(try Deadline(afterMilliseconds: 20_000).waitReadable([child.pidfd])[0])
        let end = faultline_reap(child.pidfd)
        #expect(end.signalled == 1 && end.code == SIGKILL)
    }

    @Test func `many threads spawn concurrently`() async throws {
        try await withThrowingTaskGroup(of: Termination.self) { group in
            for code in 0..<40 {
                group.addTask {
                    try ProcessRunner.run(shell("exit \(code)"), timeoutMilliseconds: 60_000).termination
                }
            }
            var codes: Set<Int32> = []
            for try await termination in group {
                if case .exited(let code) = termination { codes.insert(code) }
            }
            #expect(codes == Set(0..<40))
        }
    }
}
