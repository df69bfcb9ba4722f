import Bytes
import Foundation
import Matrices
import Model
import Oracle
import Runs
import Testing

@testable import Exploration
@testable import Machine
@testable import Report

/// Pages: what is foreign in them is inert, and everything is in them.
struct HTMLReportTests {
    /// It would end an attribute, an element, a comment, a script or a string; accents join the mark before them to one
    /// character.
    private static let hostile = [
        "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "<!-- <script>", "]]>",
        "'\" onclick=alert(1) x='",
        "\"\u{301} autofocus onfocus=alert(1) x=\u{301}\"", "<\u{338}img src=x>", "&lt;b&gt;", "a\u{2028}b",
        "{{title}}{{{script}}}",
        "\u{1B}[31m",
    ]

    private func result(_ hostile: String) -> RunResult {
        var result = RunResult(
            target: hostile, configuration: [hostile: hostile], scenario: .explore, profile: .one(.strict),
            contract: hostile,
            seed: 1, verdict: .violation, command: hostile)
        (result.reason, result.warnings, result.coverage, result.directory) = (hostile, [hostile], hostile, hostile)
        var finding = Finding(
            check: .durable, strongestProfile: .profile(.strict), lost: [hostile], story: hostile, states: 1)
        finding.account = CrashStory(
            look: nil, headline: hostile, profile: .profile(.strict), crashPoint: 1,
            timeline: [.init(from: 1, through: 1, what: hostile, fate: .torn, detail: hostile)], expected: hostile,
            found: hostile, difference: hostile, reasons: [hostile])
        finding.account?.firstCrash = hostile
        (finding.known, finding.replay, finding.case) = (hostile, hostile + " replay x", hostile)
        result.findings = [finding]
        return result
    }

    /// The markup without the page's own style and script, which hold no foreign text.
    private func markup(_ page: String) throws -> String {
        var rest = page
        for name in ["style", "script"] {
            let start = try #require(rest.range(of: "<\(name)>"))
            let end = try #require(rest.range(of: "</\(name)>", range: start.upperBound..<rest.endIndex))
            rest.removeSubrange(start.lowerBound..<end.upperBound)
        }
        return rest
    }

    /// Tags and their attributes, in order: what a browser would make of the markup.
    private func shape(_ markup: String) -> [String] {
        markup.matches(of: #/<(?:!|/?[A-Za-z])[^>"]*(?:"[^"]*"[^>"]*)*>/#).map { match in
            String(match.output).replacing(#/="[^"]*"/#, with: "=")
        }
    }

    @Test(arguments: hostile) func `foreign text changes no tag and no attribute of a page`(hostile: String) throws {
        let harmless = try HTMLReporter.report(RunReport(result("word")))
        let page = try HTMLReporter.report(RunReport(result(hostile)))
        let (text, plain) = (String(decoding: page, as: UTF8.self), String(decoding: harmless, as: UTF8.self))
        #expect(shape(try markup(text)) == shape(try markup(plain)))
        // Each quotation mark counts as a byte, whatever follows it.
        let quotes = try [text, plain].map { try markup($0).utf8.count { $0 == UInt8(ascii: "\"") } }
        #expect(quotes[0] == quotes[1])
        for scalar in text.unicodeScalars where ["\u{2028}", "\u{1B}"].contains(scalar) {
            Issue.record("U+\(String(scalar.value, radix: 16)) is in the page as it is")
        }
    }

    @Test(arguments: hostile) func `foreign text in the data ends no script and begins no comment`(hostile: String)
        throws
    {
        let mark = HTMLTimeline.Mark(event: 1, lane: 0, kind: .data, text: hostile, fate: hostile)
        let timeline = HTMLTimeline(
            id: hostile, lanes: [.init(name: hostile, kind: .file)], marks: [mark], walls: [],
            states: [.init(id: hostile, fates: ["1": hostile], notes: ["1": hostile], passes: false)], skippedEvents: 0,
            isKill: false,
            ending: hostile)
        var page = HTMLPage(title: "t", verdict: HTMLVerdict(.pass))
        var finding = HTMLFinding(number: 1, check: "c", headline: "h", verdict: HTMLVerdict(.violation))
        finding.timeline = timeline
        page.findings = [finding]
        let text = String(decoding: try HTMLDocument.bytes(of: page), as: UTF8.self)
        let start = try #require(text.range(of: #"<script type="application/json" id="timelines">"#))
        let end = try #require(text.range(of: "</script>", range: start.upperBound..<text.endIndex))
        let data = text[start.upperBound..<end.lowerBound]
        #expect(!data.contains("<") && !data.contains("\u{2028}"))
        let read = try #require(try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [[String: Any]])
        #expect(read.first?["id"] as? String == hostile)
    }

    @Test func `the policy names the style and the script by their hashes, and allows nothing else`() throws {
        let text = String(decoding: try HTMLReporter.report(RunReport(result("word"))), as: UTF8.self)
        let policy = try #require(text.firstMatch(of: #/Content-Security-Policy" content="([^"]*)"/#)).output.1
        #expect(policy.contains("default-src &#39;none&#39;") && !policy.contains("unsafe"))
        for word in ["http:", "https:", "<link", "<img", "<iframe", " src=", " onclick", " style="] {
            let allowed = word == "http:" ? text.replacing("http://www.w3.org/2000/svg", with: "") : text
            #expect(!allowed.contains(word), "\(word)")
        }
    }

    @Test func `templates leave nothing unescaped but what the build embeds and the data`() {
        for (name, bytes) in HTMLDocument.sources {
            let text = String(decoding: bytes, as: UTF8.self)
            let raw = text.matches(of: #/\{\{(?:\{|&)\s*(\w+)/#).map { String($0.output.1) }
            #expect(raw == (name == "page" ? ["style", "data", "script"] : []), "\(name)")
        }
    }

    // MARK: Matrices

    private func row(_ name: String, _ result: RunResult) throws -> MatrixRow {
        let encoded = try JSONSerialization.jsonObject(with: JSONEncoder().encode(result))
        let fields: [String: Any] = [
            "name": "\(result.target), explore, \(name)", "target": result.target, "scenario": "explore",
            "expectation": "pass", "result": encoded,
        ]
        return try JSONDecoder().decode(MatrixRow.self, from: JSONSerialization.data(withJSONObject: fields))
    }

    @Test func `a matrix of 1,000 cells that all fail differently has at most 2 MB, and says what it leaves out`()
        throws
    {
        let rows = try (0..<1000).map { number in
            var result = result(String(repeating: "words of a store ", count: 40))
            result.target = "target \(number % 100)"
            result.findings[0].lossKinds = ["write \(number)"]
            result.findings[0].known = nil
            let moment = result.findings[0].account!.timeline[0]
            result.findings[0].account?.timeline = Array(repeating: moment, count: 36)
            return try row("seed \(number)", result)
        }
        let page = try HTMLReporter.report(MatrixReport(rows))
        let text = String(decoding: page, as: UTF8.self)
        #expect(page.count <= 2_000_000, "\(page.count) bytes")
        #expect(text.matches(of: #/<tr data-outcome="unexpected"/#).count == 1000)
        #expect(text.contains("Not shown here"))
    }

    @Test func `against an earlier matrix each change is told`() throws {
        func result(_ verdict: Verdict, seconds: Double = 1) -> RunResult {
            var result = RunResult(
                target: "t", configuration: [:], scenario: .explore, profile: .one(.strict), contract: "durable",
                seed: 1,
                verdict: verdict, command: "c")
            result.seconds = seconds
            return result
        }
        let before = [
            try row("seed 1", result(.pass)), try row("seed 2", result(.violation)), try row("seed 3", result(.pass)),
            try row("seed 4", result(.pass, seconds: 2)), try row("seed 5", result(.pass)),
        ]
        let now = [
            try row("seed 1", result(.violation)), try row("seed 2", result(.pass)), try row("seed 3", result(.pass)),
            try row("seed 4", result(.pass, seconds: 7)), try row("seed 6", result(.pass)),
        ]
        let trend = MatrixTrend("before.jsonl", before)
        #expect(now.map { trend.words(for: $0)?.0 } == ["was pass", "was violation", nil, "3.5 × as long", "new"])
        let facts = Dictionary(trend.facts(now).map { ($0.label, $0.value) }) { one, _ in one }
        #expect(facts["worse"] == "1" && facts["better"] == "1" && facts["new"] == "1" && facts["gone"] == "1")
        let text = String(decoding: try HTMLReporter.report(MatrixReport(now, against: trend)), as: UTF8.self)
        #expect(text.contains("Against before.jsonl") && text.contains("3.5 × as long"))
    }
}
