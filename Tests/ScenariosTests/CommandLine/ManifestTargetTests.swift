import Foundation
import Testing

/// Targets of manifests, from the command line: one in another language, and some that misbehave.
@Suite(.enabled(if: TestMachine.hasFUSE)) struct ManifestTargetTests {
    private let temporary: TemporaryDirectory
    /// How long the scripts sleep, in seconds: a number of this test alone, by which its processes are known.
    private let mark = "71.\(UInt32.random(in: 100_000...999_999))"

    init() throws { temporary = try TemporaryDirectory() }

    static let hasPython: Bool = {
        let found = ["/usr/bin/python3", "/usr/local/bin/python3"].contains {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        let isOnPath = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .contains { FileManager.default.isExecutableFile(atPath: $0 + "/python3") }
        if !found, !isOnPath { print("SKIPPED: the example target needs python3: apt-get install python3") }
        return found || isOnPath
    }()

    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "harness/targets/jsonlog.yaml").path

    private struct Answer {
        var status: Int32
        var output: String
        var seconds: Double
    }

    private func faultline(_ arguments: [String]) throws -> Answer {
        let began = ContinuousClock.now
        let answer = try Faultline.run(arguments, directory: temporary.path)
        let seconds = Double((ContinuousClock.now - began).components.seconds)
        return Answer(status: answer.status, output: answer.output + answer.error, seconds: seconds)
    }

    @Test(.enabled(if: hasPython), arguments: [("full", Int32(0)), ("none", 1)])
    func `an example in Python keeps its promise when it syncs, and is found out when it does not`(
        sync: String, status: Int32
    ) throws {
        let run = try faultline([
            "run", Self.example, "--scenario", "power-cut", "--set", "sync=\(sync)", "--ops", "60", "--cycles", "3",
        ])
        #expect(run.status == status, "\(run.output)")
        guard status == 1 else { return }
        #expect(run.output.contains("strongest profile that shows it: strict"), "\(run.output)")
        let directory = temporary.path + "/faultline-runs/faultline-jsonlog-power-cut-1-1/cases/1"
        let refused = try faultline(["replay", directory])
        #expect(refused.status == 2 && refused.output.contains("--target"), "\(refused.output)")
        #expect(refused.output.contains("--target \(Self.example)"), "\(refused.output)")
        let printed = try #require(run.output.split(separator: "\n").first { $0.contains(" replay ") })
        let small = try faultline(["minimise", directory, "--target", Self.example])
        #expect(small.status == 1, "\(small.output)")
        let again = try faultline(["minimise", directory, "--target", Self.example])
        #expect(again.status == 2 && again.output.contains("-o"), "\(again.output)")
        let nowhere = try faultline(["minimise", directory, "--target", Self.example, "-o", "no/such/place"])
        #expect(nowhere.status == 2 && nowhere.output.contains("no/such"), "\(nowhere.output)")
        let smallest = try faultline(["minimise", directory + "-small", "--target", Self.example])
        #expect(smallest.output.contains("as small as it gets"), "\(smallest.output)")
        let exported = try faultline(["case", "export", directory, "-o", "case.tar"])
        // Everything that is printed can be pasted, wherever one is.
        for text in [String(printed), small.output, smallest.output, exported.output] {
            let line = try #require(text.split(separator: "\n").first { $0.contains(" replay ") })
            let command = String(line[(line.range(of: "show it again with: ")?.upperBound ?? line.startIndex)...])
            let pasted = try Faultline.run(["-c", command], directory: "/", of: "/bin/sh")
            #expect(pasted.status == 1 && pasted.output.contains("durable"), "\(command): \(pasted)")
        }
        #expect(try Faultline.run([], directory: "/", of: directory + "/reproduce.sh").status == 1)
        let trusted = try faultline(["replay", directory, "--trust"])
        #expect(trusted.status == 1 && trusted.output.contains("durable"), "\(trusted.output)")
        #expect(try faultline(["case", "import", "case.tar", "-o", "imported"]).status == 0)
        let foreign = try faultline(["replay", "imported", "--trust"])
        #expect(foreign.status == 2 && foreign.output.contains("./jsonlog.py"), "\(foreign.output)")
        let replayed = try faultline(["replay", directory, "--target", Self.example])
        #expect(replayed.status == 1 && replayed.output.contains("durable"), "\(replayed.output)")
        let other = try faultline(["replay", directory, "--target", "sqlite"])
        #expect(other.status == 2 && other.output.contains("the manifest given describes sqlite"), "\(other.output)")
    }

    /// A shell script as a store: two acknowledged operations, and what `body` does in the two roles.
    private func target(workload: String, recover: String, timeoutSeconds: Int = 1) throws -> String {
        let script = """
            #!/bin/sh
            ack() {
                printf '{"op":"put","seq":%s,"key":"aw==","payload":"","phase":"begin"}\\n' $1 >> "$FAULTLINE_ORACLE"
                echo $1 >> "$FAULTLINE_DIR/log"
                printf '{"op":"put","seq":%s,"key":"aw==","payload":""}\\n' $1 >> "$FAULTLINE_ORACLE"
            }
            case $1 in
            workload) rm -f "$FAULTLINE_DIR/whole"; first=$FAULTLINE_FIRST_SEQ; ack $first; ack $((first + 1)); \(workload) ;;
            recover) \(recover) ;;
            esac
            """
        let manifest = """
            name: shell
            description: a store that misbehaves
            workload: [./store.sh, workload]
            recover: [./store.sh, recover]
            timeoutSeconds: \(timeoutSeconds)
            """
        try script.replacing("sleep 71", with: "sleep \(mark)").write(
            toFile: temporary.path + "/store.sh", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: temporary.path + "/store.sh")
        try manifest.write(toFile: temporary.path + "/shell.yaml", atomically: true, encoding: .utf8)
        return temporary.path + "/shell.yaml"
    }

    private static let recovers = #"printf '{"key":"aw==","payload":""}\n{"end":true}\n'"#

    /// Nothing that the target started is alive.
    private func expectNothingLeft() throws {
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }
        for process in processes {
            let line = (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
            #expect(!line.contains(mark), "process \(process) is left: \(line)")
        }
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        #expect(!mounts.contains(temporary.path))
    }

    /// - Parameter says: what is said of it where a power cut left a store whose workload had not come to its end.
    static let bad: [(what: String, workload: String, recover: String, status: Int32, says: String)] = [
        ("hangs in recovery", "", "sleep 71", 1, "hangs in recovery: no end within 1 s"),
        ("hangs in recovery and ignores SIGTERM", "", "trap '' TERM; sleep 71", 1, "hangs in recovery"),
        ("leaves a daemon behind that holds its output", "", "setsid sleep 71 & \(recovers)", 0, "pass"),
        ("dies in recovery", "", "echo boom >&2; kill -9 $$", 1, "was killed by signal 9: boom"),
        ("prints garbage", "", "echo garbage", 1, "dump unreadable: line 1, column 1"),
        ("prints without end", "", "yes garbage", 1, "dump unreadable: line 1, column 1"),
        ("exits with 1", "", "echo sorry >&2; exit 1", 1, "the recovery exited with 1: sorry"),
        ("has no recover command", "", "exec ./nowhere", 2, "which means that it could not be run"),
        ("forgets the end line", "", #"printf '{"key":"aw==","payload":""}\n'"#, 1, "without an end line"),
        ("hangs at work", "sleep 71", recovers, 2, "made no progress within its time limit"),
        ("hangs at work in a daemon", "setsid sleep 71 & wait", recovers, 2, "made no progress"),
        ("refuses", "echo no space >&2; exit 1", recovers, 2, "the workload exited with 1 without any fault"),
    ]

    /// When the recover command misbehaves.
    enum Recovery: CaseIterable {
        /// Whatever it is given.
        case always
        /// Only with a store whose workload did not come to its end.
        case afterACrash
    }

    @Test(.timeLimit(.minutes(5)), arguments: bad, Recovery.allCases)
    func `a target that misbehaves gets a verdict, soon, and nothing of it is left`(
        row: (what: String, workload: String, recover: String, status: Int32, says: String), when: Recovery
    ) throws {
        let recover =
            when == .always
            ? row.recover : "if [ -e \"$FAULTLINE_DIR/whole\" ]; then \(Self.recovers); else \(row.recover); fi"
        let work = row.workload.isEmpty ? #": > "$FAULTLINE_DIR/whole""# : row.workload
        let manifest = try target(workload: work, recover: recover)
        // What fails without any fault says nothing about the store.
        let status = when == .always && row.status == 1 ? 2 : row.status
        for scenario in when == .always ? ["smoke", "power-cut"] : ["power-cut"] {
            let run = try faultline(["run", manifest, "--scenario", scenario, "--cycles", "1"])
            let passesInconclusively = status == 0
            #expect(run.status == status || passesInconclusively && run.status == 3, "\(row.what): \(run.output)")
            #expect(passesInconclusively || run.output.contains(row.says), "\(row.what): \(run.output)")
            let isSetUpBadly = run.output.contains("opens nothing, not even a store that met no fault")
            #expect(isSetUpBadly == (status == 2 && row.status == 1), "\(row.what): \(run.output)")
            #expect(run.seconds < 40, "\(row.what) took \(run.seconds) s")
        }
        try expectNothingLeft()
    }

    /// A line that is none is refused where it is written, and the run says whose fault that is, whatever became of the
    /// workload.
    @Test(arguments: ["power-cut", "io-error", "explore"], ["", "; exit 1"])
    func `an oracle line that is none is the driver's fault`(scenario: String, end: String) throws {
        let bad = #"echo '{"op":"put","seq":9,"key":"k","payload":""}' >> "$FAULTLINE_ORACLE"\#(end)"#
        let run = try faultline(["run", target(workload: bad, recover: Self.recovers), "--scenario", scenario])
        #expect(run.status == 2, "\(run.output)")
        #expect(run.output.contains("column 29: expected base64"), "\(run.output)")
        #expect(run.output.contains("The driver is at fault"), "\(run.output)")
    }

    /// One log that is never synced loses a tail, which its contract allows; two lose what came before something that
    /// is there.
    @Test(.enabled(if: hasPython), arguments: [("one", Int32(0), "pass"), ("two", 1, "no-holes")])
    func `a store that promises order alone may lose a tail, and nothing else`(
        logs: String, status: Int32, says: String
    ) throws {
        let manifest = URL(filePath: Self.example).deletingLastPathComponent().appending(path: "asynclog.yaml").path
        let run = try faultline(["explore", manifest, "--set", "logs=\(logs)", "--ops", "8", "--profile", "posix-min"])
        #expect(run.status == status && run.output.contains(says), "\(run.output)")
    }

    static let commands: [(command: [String], hasCase: Bool)] = [
        (["run", "shell.yaml", "--scenario", "kill", "--kill-at-ack", "1", "--cycles", "1"], true),
        (["run", "shell.yaml", "--scenario", "power-cut", "--cycles", "0"], true),
        (["run", "shell.yaml", "--scenario", "io-error", "--rule", "write nth=1 -> EIO"], true),
        (["run", "shell.yaml", "--scenario", "io-error"], false),
        (["explore", "shell.yaml"], true),
        (["explore", "shell.yaml", "--rule", "write nth=2 -> EIO"], true),
    ]

    /// A recover command whose script is not there fails in every state, and no state is to blame for it.
    @Test(arguments: commands) func `what cannot run at all is an error of the setup, and said with its output`(
        row: (command: [String], hasCase: Bool)
    ) throws {
        let missing = "echo 'no such script' >&2; exit 2"
        _ = try target(workload: "exit 0", recover: missing)
        let run = try faultline(row.command)
        let says = "the recover command opens nothing, not even a store that met no fault: "
        let isSaid = run.output.contains(says + "the recovery exited with 2: no such script")
        #expect(run.status == 2 && isSaid, "\(run.output)")
        guard row.hasCase else { return }
        // A case of a store that did not open is told apart in the same way when it is done again.
        let broken = #"if [ -e "$FAULTLINE_DIR/whole" ]; then \#(Self.recovers); else \#(missing); fi"#
        // A kill has to come before the store is whole, however late it is.
        let delay = row.command.contains("kill") ? "sleep 5; " : ""
        _ = try target(workload: delay + #": > "$FAULTLINE_DIR/whole""#, recover: broken, timeoutSeconds: 60)
        let found = try faultline(row.command)
        #expect(found.status == 1 && found.output.contains("opens"), "\(found.output)")
        let cases = temporary.path + "/faultline-runs/"
        let last = try #require(FileManager.default.contentsOfDirectory(atPath: cases).sorted().last)
        let replay = ["replay", cases + last + "/cases/1", "--target", "shell.yaml"]
        let shown = try faultline(replay)
        #expect(shown.status == 1, "\(shown.output)")
        _ = try target(workload: "exit 0", recover: missing)
        for command in [replay, ["minimise"] + replay.dropFirst()] {
            let again = try faultline(command)
            #expect(again.status == 2, "\(again.output)")
        }
    }

    @Test(arguments: ["smoke", "kill", "power-cut", "io-error", "explore"])
    func `a driver that fails at once is named with all that it said`(scenario: String) throws {
        let manifest = try target(workload: "", recover: Self.recovers)
        try "#!/bin/sh\necho 'first line' >&2; echo 'second line' >&2; exit 3\n".write(
            toFile: temporary.path + "/store.sh", atomically: false, encoding: .utf8)
        let command = scenario == "explore" ? ["explore", manifest] : ["run", manifest, "--scenario", scenario]
        let run = try faultline(command)
        let says = "the workload exited with 3 without any fault, and it wrote no oracle line; it said: "
        #expect(run.status == 2 && run.output.contains(says + "first line | second line\n"), "\(run.output)")
    }
}
