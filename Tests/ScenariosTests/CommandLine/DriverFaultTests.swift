import Foundation
import Testing

/// What is wrong with the commands that drive a store, and not with the store, is said so, with the line that shows it.
@Suite(.enabled(if: Faultline.path != nil)) struct DriverFaultTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private static let begin =
        #"echo '{"op":"put","seq":1,"key":"aw==","payload":"dg==","phase":"begin"}' >> "$FAULTLINE_ORACLE""#
    private static let acknowledge =
        #"echo '{"op":"put","seq":1,"key":"aw==","payload":"dg=="}' >> "$FAULTLINE_ORACLE""#
    private static let refuse =
        #"echo '{"op":"put","seq":1,"key":"aw==","payload":"dg==","phase":"failed"}' >> "$FAULTLINE_ORACLE""#
    private static let works = "[ $FAULTLINE_FIRST_SEQ = 1 ] || exit 0; \(begin); \(acknowledge)"
    private static let dump = #"echo '{"key":"aw==","payload":"dg=="}'; echo '{"end":true}'"#

    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var workload = DriverFaultTests.works
        var recover = DriverFaultTests.dump
        var says: [String]
    }

    static let faults = [
        Fault(
            testDescription: "a field that is none",
            recover: #"echo '{"key":"aw==","value":"dg=="}'; echo '{"end":true}'"#,
            says: [
                #"found "value""#, #"the line is: {"key":"aw==","value":"dg=="}"#, "the recover command opens nothing",
            ]),
        Fault(
            testDescription: "a value of the wrong kind", recover: #"echo '{"key":"aw==","payload":5}'"#,
            says: ["in the field payload", #"the line is: {"key":"aw==","payload":5}"#]),
        Fault(
            testDescription: "a field that is missing", recover: #"echo '{"key":"aw=="}'"#,
            says: ["a key without the field payload"]),
        Fault(
            testDescription: "a key that is not shown", recover: #"echo '{"end":true}'"#,
            says: [
                "durable: key k", "look at both commands", "line 2 of",
                #"is: {"op":"put","seq":1,"key":"aw==","payload":"dg=="}"#,
            ]),
        Fault(
            testDescription: "a key that is encoded otherwise",
            recover: #"echo '{"key":"YXc9PQ==","payload":"dg=="}'; echo '{"end":true}'"#,
            says: ["without any fault", "look at"]),
        Fault(
            testDescription: "a value that is encoded otherwise",
            recover: #"echo '{"key":"aw==","payload":"ZGc9PQ=="}'; echo '{"end":true}'"#,
            says: ["payload-integrity", "base64 of the bytes"]),
        Fault(
            testDescription: "an acknowledgement after a refusal", workload: "\(begin); \(refuse); \(acknowledge)",
            says: ["oracle.jsonl: line 3: seq 1: it failed on line 2", "the workload that wrote it is at fault"]),
        Fault(
            testDescription: "an answer to nothing", workload: "\(begin); \(acknowledge); \(acknowledge)",
            says: ["oracle.jsonl: line 3: seq 1: answered twice", "the line is: {\"op\":\"put\""]),
        Fault(
            testDescription: "a workload that does not go on",
            workload: "[ $FAULTLINE_FIRST_SEQ = 1 ] || { echo there >&2; exit 1; }; \(begin); \(acknowledge)",
            says: ["the workload exited with 1; it said: there", "look at the workload", "FAULTLINE_FIRST_SEQ"]),
        Fault(
            testDescription: "a store that refuses", workload: "\(begin); \(refuse); exit 1",
            says: ["after the store refused an operation", "line 2 of", #""phase":"failed""#]),
    ]

    @Test(arguments: faults) func `a smoke run says which side to look at, and quotes the line`(_ fault: Fault) throws {
        let manifest = try target(workload: fault.workload, recover: fault.recover)
        let run = try Faultline.run(["run", manifest, "--scenario", "smoke"], directory: temporary.path)
        #expect(run.status == 2, "\(run.output)\(run.error)")
        for words in fault.says { #expect(run.output.contains(words), "\(words) in: \(run.output)") }
    }

    @Test func `a driver that is right passes`() throws {
        let manifest = try target(workload: Self.works, recover: Self.dump)
        let run = try Faultline.run(["run", manifest, "--scenario", "smoke"], directory: temporary.path)
        // Two lives of one operation have too little to show for more.
        #expect(run.status == 0, "\(run.output)\(run.error)")
        #expect(!run.output.contains("warning"))
    }

    /// The marker is outside of the store: the second process finds it, and ends well.
    @Test(arguments: [(once: true, status: Int32(0)), (once: false, status: 2)])
    func `a recover process that dies at its exit is tolerated once`(row: (once: Bool, status: Int32)) throws {
        let dies = row.once ? #"[ -e "$MARK" ] || { : > "$MARK"; exit 3; }"# : "exit 3"
        let manifest = try target(
            workload: Self.works, recover: "\(Self.dump); echo late >&2; \(dies)",
            more: "environment: {MARK: \"\(temporary.path)/mark\"}")
        let run = try Faultline.run(["run", manifest, "--scenario", "smoke"], directory: temporary.path)
        #expect(run.status == row.status, "\(run.output)\(run.error)")
        let says = "the recovery exited with 3: late, after it had answered"
        #expect(run.output.contains(says), "\(run.output)")
        #expect(run.output.contains("warning: \(says); a second attempt succeeded") == row.once, "\(run.output)")
    }

    @Test func `a manifest whose commands are not there is refused, each by its name`() throws {
        let manifest = try target(workload: Self.works, recover: Self.dump)
        #expect(try Faultline.run(["targets", manifest], directory: temporary.path).status == 0)
        try """
        name: missing
        description: nothing of it is there
        workload: [/usr/bin/env, no-such-interpreter, nowhere.py]
        recover: ["./{which}.sh", x]
        parameters: {which: [store, other]}
        """.write(toFile: temporary.path + "/missing.yaml", atomically: true, encoding: .utf8)
        let answer = try Faultline.run(["targets", "missing.yaml"], directory: temporary.path)
        #expect(answer.status == 2 && answer.output.isEmpty, "\(answer)")
        for words in [
            "workload: no-such-interpreter: No such file or directory (searched in PATH)",
            "workload: nowhere.py: No such file or directory (searched in \(temporary.path))",
            "recover: ./other.sh: No such file or directory (searched in \(temporary.path))",
        ] { #expect(answer.error.contains(words), "\(answer.error)") }
        #expect(!answer.error.contains("./store.sh"), "\(answer.error)")
    }

    @Test(arguments: ["", #"{"op":"restart"}"# + "\n"]) func `an oracle without operations is refused`(text: String)
        throws
    {
        let manifest = try target(workload: Self.works, recover: Self.dump)
        try text.write(toFile: temporary.path + "/oracle", atomically: true, encoding: .utf8)
        let answer = try Faultline.run(
            ["validate", "--target", manifest, "--work-dir", temporary.path, "--oracle", "oracle"],
            directory: temporary.path)
        #expect(answer.status == 2 && answer.error.contains("oracle holds no operation"), "\(answer)")
    }

    private func target(workload: String, recover: String, more: String = "") throws -> String {
        let script = """
            #!/bin/sh
            if [ $1 = recover ]; then \(recover); exit 0; fi
            \(workload)
            """
        let path = temporary.path + "/store.sh"
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let manifest = """
            name: driver
            description: a store in a few lines
            workload: [./store.sh, workload]
            recover: [./store.sh, recover]
            \(more)
            """
        try manifest.write(toFile: temporary.path + "/driver.yaml", atomically: true, encoding: .utf8)
        return "driver.yaml"
    }
}
