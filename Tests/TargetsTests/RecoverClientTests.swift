import Bytes
import Glibc
import Oracle
import Testing

@testable import Targets

@Suite struct RecoverClientTests {
    private static let opened = #"echo '{"key":"aw==","payload":"dg=="}'; echo '{"end":true}'"#
    private static let observation = Observation(["k": Array("v".utf8)])

    @Test(arguments: [
        (opened, RecoverOutcome.opened(observation)),
        (#"printf '{"end":true}'"#, .opened(Observation())),
        (#"echo "$FAULTLINE_DIR" >&2; exit 3"#, .doesNotOpen(reason: "the recovery exited with 3: .")),
        (
            #"echo "bad: $FAULTLINE_DIR/db, $FAULTLINE_DIR-2/db" >&2; exit 3"#,
            .doesNotOpen(reason: "the recovery exited with 3: bad: ./db, /tmp-2/db")
        ),
        ("kill -KILL $$", .killed(reason: "the recovery was killed by signal 9")),
        ("echo out >&2; sh -c 'kill -INT $$'", .killed(reason: "the recovery exited with 130: out")),
        ("kill -SEGV $$", .doesNotOpen(reason: "the recovery was killed by signal 11")),
        (
            "\(opened); echo late >&2; exit 1",
            .diedAfterAnswering(reason: "the recovery exited with 1: late, after it had answered")
        ),
        ("\(opened); \(opened)", .doesNotOpen(reason: "it prints more after the end line")),
        ("\(opened); echo x; sleep 1000", .doesNotOpen(reason: "it prints more after the end line")),
        (#"echo '{"error":"bad"}'; exit 1"#, .doesNotOpen(reason: "bad")),
        ("exit 0", .doesNotOpen(reason: "the recovery exited with 0, without an end line")),
        ("sleep 1000", .hangs(afterSeconds: 1)),
        ("\(opened); sleep 1000", .hangs(afterSeconds: 1)),
        ("\(opened); exec >&-; sleep 1000", .hangs(afterSeconds: 1)),
        ("sleep 1000 & \(opened)", .opened(observation)),
    ])
    func `one process per directory`(script: String, expected: RecoverOutcome) throws {
        let client = RecoverClient(try shellTarget(script), timeoutSeconds: expected.isHang ? 1 : 20)
        #expect(try client.recoverAlone("/tmp") == expected)
    }

    @Test func `a partial dump is not a small store`() throws {
        let client = RecoverClient(try shellTarget(#"echo '{"key":"aw==","payload":"dg=="}'"#))
        guard case .doesNotOpen(let reason) = try client.recoverAlone("/tmp") else {
            Issue.record("it opened")
            return
        }
        #expect(reason.hasPrefix("the recovery exited with 0; the dump ends after line 1 without an end line"))
    }

    /// One persistent process answers these in sequence; `pid` shows which process answered.
    @Test func `a persistent process survives stores that do not open`() throws {
        let script = #"""
            while read -r directory; do case "$directory" in
                */good) \#(RecoverClientTests.opened);;
                */pid) echo "{\"error\":\"$$\"}";;
                */bad) echo complaint >&2; echo '{"error":"bad"}';;
                */die) echo last words >&2; kill -KILL $$;;
                */exit) exit 0;;
                */hang) sleep 1000;;
                */garbage) echo garbage;;
                */twice) \#(RecoverClientTests.opened); sleep 0.05; \#(RecoverClientTests.opened);;
            esac; done
            """#
        let client = RecoverClient(try shellTarget(script, isPersistent: true), timeoutSeconds: 1)
        func processID() throws -> Int32 {
            guard case .doesNotOpen(let reason) = try client.recover("/pid") else { return 0 }
            return try #require(Int32(reason))
        }
        #expect(try client.recover("/good") == .opened(RecoverClientTests.observation))
        var process = try processID()
        for (directory, expected, survives) in [
            ("/bad", RecoverOutcome.doesNotOpen(reason: "bad: complaint"), true),
            ("/good", .opened(RecoverClientTests.observation), true),
            ("/die", .killed(reason: "the recovery was killed by signal 9: last words"), false),
            ("/good", .opened(RecoverClientTests.observation), true),
            ("/exit", .doesNotOpen(reason: "the recovery exited with 0, without an end line"), false),
            ("/hang", .hangs(afterSeconds: 1), false),
        ] {
            #expect(try client.recover(ByteString(directory)) == expected, "\(directory)")
            let now = try processID()
            #expect((now == process) == survives, "\(directory)")
            process = now
        }
        // Late output must not be taken for the answer to the next request.
        _ = try client.recover("/twice")
        usleep(200_000)
        let replacement = try processID()
        #expect(replacement != 0 && replacement != process)
        process = replacement
        guard case .doesNotOpen(let reason) = try client.recover("/garbage") else {
            Issue.record("garbage opened")
            return
        }
        #expect(reason.hasPrefix("dump unreadable: line 1"))
        #expect(try processID() != process)
        let last = try processID()
        try client.close()
        #expect(!isAlive(last))
    }

    @Test func `a process that died between requests is replaced without a verdict`() throws {
        let client = RecoverClient(
            try shellTarget("while read -r d; do echo \"{\\\"error\\\":\\\"$$\\\"}\"; done", isPersistent: true))
        guard case .doesNotOpen(let first) = try client.recover("/x"), let process = Int32(first) else {
            Issue.record("no process")
            return
        }
        kill(process, SIGKILL)
        while isAlive(process) { usleep(1000) }
        guard case .doesNotOpen(let second) = try client.recover("/x") else { return }
        #expect(Int32(second) != nil && second != first)
    }

    @Test func `many threads share a client`() async throws {
        let client = RecoverClient(
            try shellTarget(
                #"while read -r d; do echo '{"key":"aw==","payload":"dg=="}'; echo '{"end":true}'; done"#,
                isPersistent: true))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask { try client.recover("/x") == .opened(RecoverClientTests.observation) }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test(arguments: [
        ("/a\nb", "the recover protocol sends one directory per line, and this path contains a newline: /a\\x0ab"),
        ("/a\u{0}b", "a directory with a zero byte cannot be passed to a process: /a\\x00b"),
    ])
    func `paths that the protocol cannot carry are errors`(path: String, expected: String) throws {
        for isPersistent in [true, false] {
            let client = RecoverClient(try shellTarget("echo '{\"end\":true}'", isPersistent: isPersistent))
            let error = #expect(throws: TargetError.self) { try client.recover(ByteString(path)) }
            #expect(error?.description == expected)
        }
    }

    static let checks: [(script: String, answer: Observation.OwnCheck?)] = [
        ("exit 0", .passed), ("echo fine", .passed),
        ("echo \"bad page in $1/db\"; exit 1", .complaint("the check exited with 1: bad page in ./db")),
        ("exit 3", .complaint("the check exited with 3")), ("test \"$FAULTLINE_DIR\" = \"$1\"", .passed),
        ("kill -SEGV $$", .complaint("the check was killed by signal 11")),
        ("sleep 1000", .complaint("the check did not end within 1 s")),
    ]

    @Test(arguments: checks, [false, true])
    func `the check of a manifest runs after each recovery`(
        row: (script: String, answer: Observation.OwnCheck?), isPersistent: Bool
    ) throws {
        let script = isPersistent ? "while read -r d; do \(Self.opened); done" : Self.opened
        let seconds = row.script.hasPrefix("sleep") ? 1 : 20
        let client = RecoverClient(
            try shellTarget(script, isPersistent: isPersistent, check: row.script), timeoutSeconds: seconds)
        var expected = Self.observation
        expected.ownCheck = row.answer
        #expect(try client.recover("/tmp") == .opened(expected))
        #expect(try client.recoverAlone("/tmp") == .opened(expected))
    }

    @Test func `a store that does not open is not checked, and a check that is missing is not a verdict`() throws {
        let closed = RecoverClient(try shellTarget("exit 4", check: "exit 5"))
        #expect(try closed.recoverAlone("/tmp") == .doesNotOpen(reason: "the recovery exited with 4"))
        let missing = RecoverClient(try shellTarget(Self.opened, check: "/nonexistent/check"))
        let error = #expect(throws: TargetError.self) { try missing.recoverAlone("/tmp") }
        #expect(error?.description.hasPrefix("the check of the manifest exited with 127") == true)
        let killed = RecoverClient(try shellTarget(Self.opened, check: "kill -KILL $$"))
        #expect(try killed.recoverAlone("/tmp") == .killed(reason: "the check was killed by signal 9"))
    }

    @Test func `a command that cannot be started is not a verdict`() throws {
        let target = Target(
            name: "t", description: "", source: "", contract: .durable, workload: [], recover: ["/nonexistent"])
        let client = RecoverClient(try target.configured())
        #expect(throws: TargetError.cannotRun(program: "/nonexistent", directory: nil, errno: ENOENT)) {
            try client.recover("/tmp")
        }
    }

    private func shellTarget(
        _ script: String, isPersistent: Bool = false, check: String? = nil
    ) throws -> ConfiguredTarget {
        var target = Target(
            name: "script", description: "", source: "", contract: .durable, workload: [],
            recover: ["sh", "-c", ByteString(script)])
        target.isPersistent = isPersistent
        target.check = check.map { ["sh", "-c", ByteString($0), "sh", "{dir}"] }
        target.timeoutSeconds = 20
        return try target.configured()
    }
}

extension RecoverOutcome {
    fileprivate var isHang: Bool { if case .hangs = self { true } else { false } }
}
