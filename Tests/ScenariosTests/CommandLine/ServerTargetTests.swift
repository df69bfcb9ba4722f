import Foundation
import Testing

/// Targets with a server, by the example in harness/targets and by changed copies of it.
@Suite(.enabled(if: TestMachine.hasFUSE && ManifestTargetTests.hasPython)) struct ServerTargetTests {
    private let temporary: TemporaryDirectory
    /// A text that only processes of this test have on their command line.
    private let mark = "mark-\(UInt32.random(in: 100_000...999_999))"

    init() throws { temporary = try TemporaryDirectory() }

    private static let examples = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "harness/targets").path

    /// A copy of the example with other settings of its server, and with changes in its program.
    private func example(
        server: String? = nil, _ changes: [(String, String)] = [], more: String = ""
    ) throws -> String {
        for name in ["lib", "logserver.py", "logserver.yaml"] {
            try FileManager.default.copyItem(atPath: Self.examples + "/" + name, toPath: temporary.path + "/" + name)
        }
        func edit(_ name: String, _ changes: [(String, String)]) throws {
            let path = temporary.path + "/" + name
            var text = try String(contentsOfFile: path, encoding: .utf8)
            for (old, new) in changes {
                try #require(text.contains(old), "\(name) has no longer: \(old)")
                text = text.replacing(old, with: new)
            }
            try text.write(toFile: path, atomically: false, encoding: .utf8)
        }
        try edit("logserver.py", changes)
        let old = """
              start: [./logserver.py, serve, "{dir}", "{socket}", "--sync={sync}"]
              ready: socket
            """
        let settings = server ?? old
        try edit(
            "logserver.yaml",
            [(old, settings.replacing("\"--sync={sync}\"", with: "\"--sync={sync}\", \(mark)"))])
        if !more.isEmpty { try edit("logserver.yaml", [("timeoutSeconds: 10", more)]) }
        return temporary.path + "/logserver.yaml"
    }

    private func faultline(_ words: String...) throws -> Faultline.Answer {
        let answer = try Faultline.run(words, directory: temporary.path)
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }
        for process in processes {
            let line = (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
            #expect(!line.contains(mark), "process \(process) is left: \(line)")
        }
        return answer
    }

    static let scenarios: [[String]] = [
        ["run", "--scenario", "smoke", "--ops", "8"], ["run", "--scenario", "kill", "--ops", "12", "--cycles", "2"],
        ["run", "--scenario", "power-cut", "--ops", "6", "--cycles", "1", "--cut-at", "work"],
        ["explore", "--ops", "3"],
    ]

    @Test(arguments: scenarios) func `a server that syncs keeps its promise`(words: [String]) throws {
        let words = [words[0], try example()] + words.dropFirst()
        let run = try Faultline.run(words, directory: temporary.path)
        #expect(run.status == 0, "\(run)")
    }

    @Test func `a server that does not sync is found out, and its case can be replayed`() throws {
        let manifest = try example()
        let run = try faultline("explore", manifest, "--ops", "2", "--set", "sync=none")
        #expect(run.status == 1 && run.output.contains("durable"), "\(run)")
        let replayed = try faultline(
            "replay", temporary.path + "/faultline-runs/faultline-logserver-explore-1-1/cases/1", "--target", manifest)
        #expect(replayed.status == 1 && replayed.output.contains("durable"), "\(replayed)")
    }

    static let ways: [String] = [
        """
          start: [./logserver.py, serve, "{dir}", "{socket}", "--sync={sync}"]
          ready: [./logserver.py, ping, "{socket}"]
          stop: [sh, -c, 'kill $(cat "$FAULTLINE_DIR/pid")']
        """,
        // A daemon: the start command ends, and the server stays.
        """
          start: [sh, -c, 'setsid ./logserver.py serve "$1" "$2" "$3" & exit 0', sh, "{dir}", "{socket}", "--sync={sync}"]
          ready: socket
        """,
    ]

    @Test(arguments: ways) func `a ready command decides, a stop command ends, and a daemon is a server, too`(
        server: String
    ) throws {
        let writesID = [
            ("    listener.listen()", "    listener.listen(); open(directory + '/pid', 'w').write(str(os.getpid()))")
        ]
        let run = try faultline(
            "run", example(server: server, writesID), "--scenario", "kill", "--ops", "8", "--cycles", "1")
        #expect(run.status == 0, "\(run)")
    }

    /// What is wrong with a server, and what is said of it.
    static let bad: [(what: String, server: String?, changes: [(String, String)], says: String)] = [
        (
            "ends at once", nil, [("    listener.bind(path)", "    sys.exit('no space for me')")],
            "the server exited with 1 before it was ready: no space for me"
        ),
        (
            "logs to a file",
            """
              start: [sh, -c, "echo first > $1/log.txt; echo the reason >> $1/log.txt; exit 4", sh, "{tmp}", "{socket}"]
              ready: socket
              log: "{tmp}/log.txt"
            """, [], "the server exited with 4 before it was ready: first | the reason"
        ),
        (
            "panics in Go",
            """
              start: [sh, -c, "printf 'panic: no database\\n\\ngoroutine 1:\\nmain()\\n main.go:1\\nx()\\n' >&2; exit 2", sh, "{socket}"]
              ready: socket
            """, [], "the server exited with 2 before it was ready: panic: no database | goroutine 1:"
        ),
        (
            "is never ready",
            """
              start: [./logserver.py, serve, "{dir}", "{socket}", "--sync={sync}"]
              ready: [sh, -c, "echo still loading >&2; exit 1"]
              timeoutSeconds: 3
            """, [],
            "the server was not ready within 3 s; the ready command exited with 1: still loading"
        ),
        (
            "does not end",
            """
              start: [./logserver.py, serve, "{dir}", "{socket}", "--sync={sync}"]
              ready: socket
              timeoutSeconds: 1
            """, [("lambda *_: os._exit(0)", "signal.SIG_IGN")], "the server did not end within 1 s"
        ),
        (
            "dies at work", nil,
            [
                (
                    "if syncs: os.fsync(log)\n                    entries",
                    "sys.exit('lost my disk')\n                    entries"
                )
            ],
            "the server exited with 1: ready | lost my disk"
        ),
    ]

    @Test(arguments: bad)
    func `a server that misbehaves without a fault is a harness error with the reason`(
        row: (what: String, server: String?, changes: [(String, String)], says: String)
    ) throws {
        let run = try faultline("run", example(server: row.server, row.changes), "--scenario", "smoke", "--ops", "2")
        #expect(run.status == 2 && run.output.contains(row.says), "\(row.what): \(run)")
    }

    @Test func `another process at the server's address is a harness error`() throws {
        // The start command is not the one that listens: somebody outside of its family does.
        let other = """
            import os, socket, sys, time
            listener = socket.socket(socket.AF_UNIX)
            while not os.path.exists(sys.argv[1]): time.sleep(0.01)
            listener.bind(open(sys.argv[1]).read())
            listener.listen()
            time.sleep(60)
            """
        try other.write(toFile: temporary.path + "/other.py", atomically: true, encoding: .utf8)
        let (process, _, _) = try Faultline.start(
            ["python3", temporary.path + "/other.py", temporary.path + "/address"], of: "/usr/bin/env")
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        let manifest = try example(
            server: """
                  start: [sh, -c, "printf %s $1 > address.new; mv address.new address; sleep 60", sh, "{socket}"]
                  ready: socket
                  timeoutSeconds: 20
                """)
        let run = try faultline("run", manifest, "--scenario", "smoke", "--ops", "2")
        #expect(run.status == 2 && run.output.contains("another process"), "\(run)")
    }

    @Test func `a state that the server does not open is a finding with the end of its log`() throws {
        let manifest = try example(
            server: nil,
            [
                (
                    "except (ValueError, TypeError): break",
                    "except (ValueError, TypeError): sys.exit('bad line in the log')"
                )
            ])
        let run = try faultline("explore", manifest, "--ops", "2", "--set", "sync=none", "--profile", "posix-min")
        #expect(run.status == 1 && run.output.contains("bad line in the log"), "\(run)")
    }
}
