import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Report
import Storage
import Testing

@testable import Machine
@testable import Runs

/// Names, values, errors and texts that a terminal, a log viewer or a CI runner would obey, through everything that the
/// program prints or writes for people: none of it gets there as it is.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct HostileTextTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    /// Colours, a screen that is cleared, a line that is written over, a C1 control, text from right to left, a style of our
    /// own, and a line that is a command to a runner.
    private static let hostile =
        "A\u{1B}[31mRED\u{1B}[2J\r\u{9B}31m\u{202E}x\u{2066}\u{7F}\u{1B}[32mFORGED\u{1B}[0m\n::error::pwned"
    /// Its beginning, as it may be shown: in text and in JSON.
    private static let shown = ["A\\x1b[31mRED", "A\\u001b[31mRED", "A\\x1b[31mRED".replacing("\\", with: "\\\\")]

    // MARK: What must not be there

    /// The control characters in `text` that are not of the program's own.
    private func objections(to text: String, isScreen: Bool) -> [String] {
        var rest = text
        var objections: [String] = []
        if isScreen {
            if text.contains("\u{1B}[32mFORGED") { objections.append("a forged style") }
            for own in Style.sequences + ["\r\u{1B}[2K"] { rest = rest.replacing(own, with: "") }
        }
        for scalar in rest.unicodeScalars where scalar != "\n" && scalar != "\t" {
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
                objections.append("U+" + String(scalar.value, radix: 16))
            default: break
            }
        }
        for line in rest.split(separator: "\n") where line.drop(while: { $0 == " " }).hasPrefix("::") {
            objections.append("a runner's command: \(line)")
        }
        return objections
    }

    /// Runs it with pipes and on a terminal, and objects to what is printed.
    private func expectHarmless(
        _ arguments: [String], environment: [String: String] = [:], showsIt: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let piped = try Faultline.run(arguments, directory: temporary.path, environment: environment)
        let terminal = try Faultline.runOnTerminal(arguments, directory: temporary.path, environment: environment)
        for (text, isScreen) in [(piped.output, false), (piped.error, false), (terminal.screen, true)] {
            let found = objections(to: text, isScreen: isScreen)
            #expect(found == [], "\(arguments) prints \(text)", sourceLocation: sourceLocation)
        }
        let all = [piped.output + piped.error, terminal.screen]
        for text in all where showsIt {
            #expect(
                Self.shown.contains(where: text.contains), "\(arguments) says nothing of it: \(text)",
                sourceLocation: sourceLocation)
        }
        if arguments.contains("--json"), !piped.output.isEmpty {
            let isLines = ["scan", "show"].contains(arguments[1])
            for line in isLines ? piped.output.split(separator: "\n") : [piped.output[...]] {
                #expect(throws: Never.self, "\(line)", sourceLocation: sourceLocation) {
                    try JSONSerialization.jsonObject(with: Data(line.utf8))
                }
            }
        }
    }

    private func expectHarmlessFile(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(objections(to: text, isScreen: false) == [], "\(path): \(text)", sourceLocation: sourceLocation)
    }

    private func write(_ text: String, _ name: String, permissions: Int = 0o644) throws {
        try text.write(toFile: temporary.path + "/" + name, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: permissions], ofItemAtPath: temporary.path + "/" + name)
    }

    /// As a string of JSON and of YAML, which takes no control character as it is.
    private static func json(_ text: String) -> String {
        let units = text.utf16.map { unit in
            let digits = String(unit, radix: 16)
            return (0x20..<0x7F).contains(unit) && unit != 0x22 && unit != 0x5C
                ? String(Character(Unicode.Scalar(UInt8(unit))))
                : "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "\"" + units.joined() + "\""
    }

    /// A store in a shell script, which makes a file with a hostile name, complains with hostile words, and does not open
    /// with a hostile error when it has lost what it never synced.
    private func makeStore() throws {
        try write(Self.hostile + "\n", "words")
        try write(#"{"error":"# + Self.json("\u{0}" + Self.hostile) + "}\n", "error")
        try write(
            """
            #!/bin/sh
            here=$(dirname "$0")
            ack() {
                printf '{"op":"put","seq":%s,"key":"aw==","payload":"","phase":"begin"}\\n' $1 >> "$FAULTLINE_ORACLE"
                echo $1 >> "$FAULTLINE_DIR/log"
                printf '{"op":"put","seq":%s,"key":"aw==","payload":""}\\n' $1 >> "$FAULTLINE_ORACLE"
            }
            case $1 in
            workload) echo x > "$FAULTLINE_DIR/$(cat "$here/words")"; ack $FAULTLINE_FIRST_SEQ
                cat "$here/words" >&2; [ ! -e "$here/refuse" ] ;;
            recover) if [ ! -e "$here/broken" ] && [ -s "$FAULTLINE_DIR/log" ]; then printf '{"key":"aw==","payload":""}\\n{"end":true}\\n'
                else cat "$here/error"; fi ;;
            esac
            """, "store.sh", permissions: 0o755)
        let oneLine = Self.json(Self.hostile.filter { !$0.isNewline })
        try write(
            """
            name: hostile
            description: \(oneLine)
            source: \(oneLine)
            workload: [./store.sh, workload]
            recover: [./store.sh, recover]
            """, "hostile.yaml")
    }

    // MARK: Outputs

    @Test(.enabled(if: TestMachine.hasFUSE)) func `a run, its case and its trace`() throws {
        try makeStore()
        let target = ["--target", "hostile.yaml"]
        try expectHarmless(["targets", "hostile.yaml"])
        try expectHarmless(["targets", "hostile.yaml", "--json"])
        let runs = temporary.path + "/faultline-runs"
        for (number, more) in [[], ["--json"]].enumerated() {
            try expectHarmless(["explore", "hostile.yaml", "--ops", "1"] + more)
            try expectHarmlessFile(runs + "/faultline-hostile-explore-1-\(2 * number + 1)/result.json")
        }
        let run = runs + "/faultline-hostile-explore-1-1"
        let found = run + "/cases/1"
        try expectHarmlessFile(found + "/case.json")
        for command in [["replay", found], ["replay", found, "--json"], ["minimise", found], ["recheck", found]] {
            try expectHarmless(command + target, showsIt: command[0] != "minimise")
        }
        try expectHarmless(["case", "export", found, "-o", "case.tar", "--anyway"], showsIt: false)
        try expectHarmless(["case", "import", "case.tar", "-o", "imported"], showsIt: false)
        for command in [["show"], ["show", "--json"], ["stats"], ["stats", "--json"]] {
            try expectHarmless(["trace", command[0], run + "/recorded.trace"] + command.dropFirst())
        }
        try expectHarmless(["trace", "diff", run + "/recorded.trace", found + "/trace"], showsIt: false)
        try write("", "refuse")
        try expectHarmless(["run", "hostile.yaml", "--scenario", "smoke"])
    }

    @Test func `a matrix: the table, the progress, JUnit, Markdown and the log`() throws {
        try makeStore()
        try write("", "broken")
        try write(
            """
            cells:
              - {target: ./hostile.yaml, scenario: smoke}
              - {target: ./hostile.yaml, scenario: smoke, seed: 2, expect: violation, reason: \(Self.json(Self.hostile))}
              - {target: engine, scenario: smoke, ops: 5}
            """, "m.yaml")
        let summary = ["GITHUB_STEP_SUMMARY": temporary.path + "/summary.md"]
        let reports = ["--junit", "junit.xml", "--github-summary"]
        for more in [[], ["--json"]] {
            try expectHarmless(["matrix", "m.yaml", "--all"] + reports + more, environment: summary)
            for name in ["junit.xml", "summary.md", "faultline-runs/matrix-1.jsonl"] {
                try expectHarmlessFile(temporary.path + "/" + name)
                let text = try String(contentsOfFile: temporary.path + "/" + name, encoding: .utf8)
                #expect(text.contains("RED"), "\(name) says nothing of it: \(text)")
            }
        }
        try expectHarmless(["merge", "faultline-runs/matrix-1.jsonl"] + reports, environment: summary)
    }

    @Test func `the halves alone`() throws {
        try makeStore()
        try write("", "refuse")
        try FileManager.default.createDirectory(
            atPath: temporary.path + "/w", withIntermediateDirectories: false)
        let place = ["--work-dir", "w", "--oracle", "o", "--target", "hostile.yaml"]
        try expectHarmless(["workload"] + place + ["--ops", "1", "--allow-same-filesystem"])
        try write("", "broken")
        try expectHarmless(["validate"] + place)
        try expectHarmless(["validate"] + place + ["--json"])
    }

    @Test func `keys and values of a store: escaped on a terminal, raw on a pipe`() throws {
        let (key, value) = (Self.hostile, Self.hostile + " value")
        #expect(try Faultline.run(["store", "put", "s", key, value], directory: temporary.path).status == 0)
        for command in [["scan", "s"], ["get", "s", key + "2"]] { try expectHarmless(["store"] + command) }
        for command in [["scan", "s", "--json"], ["get", "s", key, "--json"], ["report", "s"], ["verify", "s"]] {
            try expectHarmless(["store"] + command, showsIt: false)
        }
        #expect(try Faultline.run(["store", "get", "s", key], directory: temporary.path).output == value)
        let screen = try Faultline.runOnTerminal(["store", "get", "s", key], directory: temporary.path).screen
        #expect(objections(to: screen, isScreen: true).filter { !$0.hasPrefix("a runner's") } == [])
        #expect(screen.contains(Self.shown[0]))
    }

    @Test func `words of the command line and names of files in errors`() throws {
        let hostile = Self.hostile
        try write("cells:\n  - {target: engine, scenario: \(Self.json(hostile))}\n", "m.yaml")
        try write("name: x\n\(Self.json(hostile)): 1\n", "t.yaml")
        try write("{\"version\": 1}", hostile.replacing("/", with: ""))
        for command in [
            [hostile], ["run", hostile, "--scenario", "smoke"], ["run", "engine", "--scenario", hostile],
            ["run", "engine", "--scenario", "smoke", "--set", "planted=" + hostile],
            ["run", "engine", "--scenario", "smoke", "--" + hostile], ["replay", hostile], ["recheck", hostile],
            ["minimise", hostile],
            ["trace", "show", hostile], ["trace", "stats", hostile], ["trace", "diff", hostile, hostile],
            ["case", "import", hostile, "-o", "x"], ["case", "export", hostile, "-o", "x"], ["merge", hostile],
            ["store", "get", hostile, "k"], ["store", "put", "s", "k", "v", "--format", hostile],
            ["store", "put", "s", hostile, "--format", "hex", "00"], ["matrix", "m.yaml"], ["matrix", hostile],
            ["targets", "t.yaml"], ["targets", hostile], ["mount", hostile, hostile],
            ["mount", ".", ".", "--rule", hostile], ["unmount", hostile], ["planted", hostile],
            ["validate", "--target", "engine", "--work-dir", hostile, "--oracle", hostile],
            ["explore", "engine", "--resume", hostile],
        ] {
            try expectHarmless(command)
        }
    }

    @Test func `a printed command can be pasted all the same`() throws {
        let word = Self.hostile + "'\\ $HOME `x` ü"
        let quoted = ReproduceScript.quoted(word)
        #expect(objections(to: quoted, isScreen: false) == [])
        #expect(try Faultline.run(["-c", "printf %s " + quoted], of: "/bin/bash").output == word)
    }

    @Test func `the texts of a foreign case`() throws {
        let directory = temporary.path + "/case"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let arena = PayloadArena()
        let line = OracleLine.begin(.put(1, ByteString(Self.hostile), [1]))
        let oddLine = arena.store(Array(Self.hostile.replacing("\n", with: " ").utf8))
        try Recording(
            base: Tree(), events: [.oracle(arena.store(line.encoded.dropLast())), .oracle(oddLine)], payloads: arena
        ).write(firstEvents: 2, to: ByteString(directory + "/trace"))
        try OutputFile.create(ByteString(directory + "/oracle.jsonl"), line.encoded)
        let fields = [nil, "target", "contract", "profile", "lost", "check", "scenario"]
        for field in fields {
            let record = CaseRecord(
                target: "engine", manifest: nil, configuration: [:], contract: "durable", scenario: .explore, seed: 1,
                profile: .strict, crashPoint: 1, lost: "", check: .check(.durable), story: Self.hostile)
            let path = directory + "/case.json"
            try? FileManager.default.removeItem(atPath: path)
            // As anybody may write it: nothing in it is escaped that JSON does not guarantee.
            var object = try #require(
                try JSONSerialization.jsonObject(with: JSONEncoder().encode(record)) as? [String: Any])
            if let field { object[field] = Self.hostile }
            try JSONSerialization.data(withJSONObject: object).write(to: URL(filePath: path))
            try expectHarmless(["replay", directory])
            try expectHarmless(["replay", directory, "--json"])
        }
        for command in [["show"], ["show", "--json"]] {
            try expectHarmless(["trace", command[0], directory + "/trace"] + command.dropFirst())
        }
    }
}
