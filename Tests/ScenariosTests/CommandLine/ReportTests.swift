import Foundation
import Report
import Testing

/// `--report`, of every command that comes to a verdict.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct ReportTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ arguments: [String]) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path)
    }
    private func path(_ name: String) -> String { temporary.path + "/" + name }
    private func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    private static let formats = ReporterList.all.map { $0.format }
    private static let buggy = ["engine", "--set", "planted=never-sync", "--ops", "4", "--out", "runs"]
    private static let `case` = "runs/faultline-engine-explore-1-1/cases/1"

    /// The command, what its text and its JSON have in them, and its exit code. Those of a case need the run before
    /// them.
    static let commands: [(words: [String], says: String, status: Int32)] = [
        (["run"] + buggy + ["--scenario", "smoke"], "engine batch=0", 0),
        (["explore"] + buggy, "durable", 1),
        (["replay", `case`], "opens", 1),
        (["recheck", `case`, "--out", "runs"], "shows again", 1),
        (["minimise", `case`, "-o", "small"], "operation", 1),
        (["matrix", "m.yaml", "--out", "runs"], "1 of 1 cell", 0),
    ]

    @Test(arguments: commands)
    func `every command writes its result in every form`(words: [String], says: String, status: Int32) throws {
        try Data("cells: [{target: engine, scenario: smoke, ops: 5}]".utf8).write(to: URL(filePath: path("m.yaml")))
        if words.contains(Self.case) { #expect(try run(["explore"] + Self.buggy).status == 1) }
        let answer = try run(words + Self.formats.flatMap { ["--report", "\($0)=report.\($0)"] })
        #expect(answer.status == status, "\(answer)")
        let written = try text("report.text")
        #expect(answer.output.contains(says) && answer.output == written, "\(answer)")
        let object = try JSONSerialization.jsonObject(with: Data(try text("report.json").utf8)) as? [String: Any]
        #expect(object?.isEmpty == false)
        let verdict = status == 0 ? "pass" : "violation"
        #expect(try text("report.markdown").hasPrefix("### Faultline: \(verdict)\n"))
        let html = try text("report.html")
        #expect(html.hasPrefix("<!DOCTYPE html>") && html.hasSuffix("</html>\n"))
        #expect(html.contains("<title>\(verdict)"), "\(html.prefix(900))")
        let junit = try text("report.junit")
        #expect(junit.hasPrefix("<?xml") && junit.hasSuffix("</testsuite>\n"))
        #expect(junit.contains(#"tests="1" failures="\#(status)" skipped="0""#), "\(junit)")
        #expect(
            junit.contains(#"<failure type="violation" message="expected pass, found violation">"#) == (status == 1))
        let parser = XMLWellFormed(junit)
        #expect(parser.isBalanced, "\(junit)")
    }

    @Test func `JSON of a report is what is printed`() throws {
        let answer = try run(["explore"] + Self.buggy + ["--json", "--report", "json=r.json"])
        let written = try text("r.json")
        #expect(answer.status == 1 && answer.output == written)
    }

    @Test(arguments: [
        (["--report", "pdf=x"], "the format is one of text, json, junit, markdown, html"),
        (["--report", "junit"], "name a file, as in junit=FILE"), (["--report", "junit="], "name a file"),
        (["--report", "junit=none/x"], "cannot write none/x: the directory none: No such file or directory"),
        (["--report", "junit=a", "--report", "text=./a"], "another output of this command goes there, too"),
        (["--report", "junit=-", "--json"], "both go to standard output"),
        (["--report", "junit=-", "--report", "text=-"], "both go to standard output"),
    ])
    func `a report that cannot be written is said before the run`(arguments: [String], reason: String) throws {
        for command in [["run"] + Self.buggy + ["--scenario", "smoke"], ["explore"] + Self.buggy] {
            let answer = try run(command + arguments)
            #expect(answer.status == 2 && answer.error.contains(reason), "\(answer)")
            #expect(!FileManager.default.fileExists(atPath: path("runs")), "nothing was run")
        }
    }

    @Test func `what is there already becomes a page: a run, a case, a matrix against another`() throws {
        #expect(try run(["explore"] + Self.buggy).status == 1)
        try Data("cells: [{target: engine, scenario: smoke, ops: 5}]".utf8).write(to: URL(filePath: path("m.yaml")))
        for _ in 1...2 { #expect(try run(["matrix", "m.yaml", "--out", "runs"]).status == 0) }
        let pages: [(inputs: [String], has: [String])] = [
            (["runs/faultline-engine-explore-1-1"], ["data-timeline=\"finding-1\"", "What was done"]),
            ([Self.case], ["data-timeline=\"finding-1\"", "The failing state as text"]),
            (
                ["runs/matrix-2.jsonl", "--against", "runs/matrix-1.jsonl"],
                ["Against runs/matrix-1.jsonl", "1 of 1 cell"]
            ),
        ]
        for (inputs, words) in pages {
            let answer = try run(["report"] + inputs + ["-o", "page.html"])
            #expect(answer.status == 0 && answer.output == "page.html\n", "\(answer)")
            let page = try text("page.html")
            for word in words { #expect(page.contains(word), "\(inputs): \(word)") }
        }
        #expect(try run(["case", "export", Self.case, "-o", "case.tar"]).status == 0)
        #expect(try run(["replay", "case.tar", "--report", "html=replayed.html"]).status == 1)
        #expect(try text("replayed.html").contains("data-timeline=\"finding-1\""))
    }

    @Test(arguments: [
        (["nothing"], "holds no results"), (["."], "holds no results"), (["m.yaml"], "no results of a matrix"),
        (["runs", "--against", "m.yaml"], "holds no results"),
    ])
    func `what holds no results is said, and leaves no page`(inputs: [String], reason: String) throws {
        try Data("cells: []".utf8).write(to: URL(filePath: path("m.yaml")))
        let answer = try run(["report"] + inputs + ["-o", "page.html"])
        #expect(answer.status == 2 && answer.error.contains(reason), "\(answer)")
        #expect(!FileManager.default.fileExists(atPath: path("page.html")))
    }

    @Test func `a manifest and an oracle are not replaced by a report of what they say`() throws {
        let command = "{name: t, description: d, workload: [/bin/true], recover: [/bin/true]}"
        try Data(command.utf8).write(to: URL(filePath: path("t.yaml")))
        let answer = try run(["run", "t.yaml", "--scenario", "smoke", "--report", "text=t.yaml"])
        #expect(answer.status == 2 && answer.error.contains("this command reads it"), "\(answer)")
        #expect(try text("t.yaml") == command)
    }
}

/// Whether each element that is opened is closed, in order.
private struct XMLWellFormed {
    var isBalanced: Bool

    init(_ text: String) {
        var open: [Substring] = []
        isBalanced = true
        for match in text.matches(of: #/<(?<slash>/?)(?<name>[a-z-]+)[^<>]*?(?<empty>/?)>/#) {
            if match.slash == "/" {
                isBalanced = isBalanced && open.popLast() == match.name
            } else if match.empty.isEmpty {
                open.append(match.name)
            }
        }
        isBalanced = isBalanced && open.isEmpty
    }
}
