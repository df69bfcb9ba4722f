import Foundation
import Testing

@testable import Report

/// The pages in a real browser: what is there, where it stands, and what clicks and keys do.
@Suite(
    .enabled(if: Browser.path != nil, "SKIPPED: there is no Chromium; scripts/setup-browser installs it"),
    .enabled(if: Faultline.path != nil, "the program was not built beside the tests"), .serialized)
struct BrowserTests {
    private let temporary: TemporaryDirectory
    private let browser: Browser

    init() throws {
        temporary = try TemporaryDirectory()
        browser = Browser(directory: temporary.path)
    }

    /// A run of the engine that acknowledges before it has synced.
    private func makeRun(_ more: [String] = []) throws {
        let answer = try Faultline.run(
            [
                "explore", "engine", "--set", "planted=ack-before-sync", "--ops", "4", "--out", "runs", "--report",
                "html=run.html",
            ]
                + more, directory: temporary.path)
        #expect(answer.status == 1, "\(answer)")
    }

    @Test func `the timeline shows lanes, the lost write, the broken promise and the crash, and keys move in it`()
        throws
    {
        try makeRun()
        let answer = try browser.look(
            at: "run.html",
            """
            const plot = document.querySelector(".plot");
            const box = (selector) => plot.querySelector(selector).getBoundingClientRect().toJSON();
            const details = () => document.querySelector(".details").textContent;
            const crash = box(".crash");
            const marks = [...plot.querySelectorAll("g.event")].map((one) => one.getBoundingClientRect().x);
            const first = details();
            plot.dispatchEvent(new window.KeyboardEvent("keydown", { key: "Home", bubbles: true }));
            const home = details();
            plot.dispatchEvent(new window.KeyboardEvent("keydown", { key: "End", bubbles: true }));
            const end = details();
            const shown = () => plot.querySelectorAll("g.event").length;
            const all = shown();
            for (const key of ["+", "+"]) plot.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true }));
            return {
              lanes: plot.querySelectorAll("line.lane").length, lost: plot.querySelectorAll(".mark.lost, .mark.torn").length,
              promised: plot.querySelectorAll(".mark.promised").length, asked: plot.querySelectorAll(".mark.asked").length,
              walls: plot.querySelectorAll(".wall").length, isLast: marks.every((x) => x < crash.x),
              crashHeight: crash.height, plotHeight: plot.getBoundingClientRect().height, first, home, end, all, zoomed: shown(),
              value: plot.getAttribute("aria-valuetext"), over: document.documentElement.scrollWidth - window.innerWidth,
            };
            """)
        #expect(answer.console == [])
        let value = answer.value
        #expect((value["lanes"] as? Int ?? 0) >= 3, "\(value)")
        for name in ["lost", "promised", "asked"] { #expect((value[name] as? Int ?? 0) >= 1, "\(name): \(value)") }
        #expect(value["isLast"] as? Bool == true)
        #expect((value["crashHeight"] as? Double ?? 0) > 0.7 * (value["plotHeight"] as? Double ?? .infinity))
        let first = value["first"] as? String ?? ""
        #expect(first.contains("LOST") || first.contains("TORN"), "\(first)")
        #expect(first.contains("offset") && first.contains("length"))
        #expect((value["home"] as? String)?.hasPrefix("Event 1:") == true)
        #expect((value["end"] as? String)?.contains("acknowledged") == true, "\(value)")
        #expect(value["value"] as? String == value["end"] as? String)
        #expect((value["zoomed"] as? Int ?? .max) < (value["all"] as? Int ?? 0))
        #expect((value["over"] as? Int ?? 1) <= 0)
    }

    @Test func `a button shows another crash state, its files and its fates`() throws {
        try makeRun()
        let answer = try browser.look(
            at: "run.html",
            """
            const section = document.querySelector(".finding");
            const buttons = [...section.querySelectorAll("button[data-state]")];
            const seen = () => ({
              pressed: buttons.findIndex((one) => one.getAttribute("aria-pressed") === "true"),
              panels: [...section.querySelectorAll(".state")].map((one) => one.getBoundingClientRect().height > 0),
              lost: section.querySelectorAll(".plot .mark.lost, .plot .mark.torn").length,
              text: [...section.querySelectorAll(".state")].find((one) => !one.hidden).innerText,
            });
            const before = seen();
            const kept = buttons.findIndex((one) => /changes? kept/.test(one.textContent));
            buttons[kept].click();
            return { before, after: seen(), labels: buttons.map((one) => one.textContent), kept };
            """)
        #expect(answer.console == [])
        let labels = answer.value["labels"] as? [String] ?? []
        #expect(labels.count >= 2 && labels[0].contains("smallest failing state"), "\(labels)")
        // The run recovered each, and the one that keeps all passes.
        #expect(!labels.joined().contains("not recovered"), "\(labels)")
        #expect(labels.contains { $0.contains("passes") && $0.contains("kept") }, "\(labels)")
        let before = answer.value["before"] as? [String: Any] ?? [:]
        let after = answer.value["after"] as? [String: Any] ?? [:]
        let kept = answer.value["kept"] as? Int ?? 0
        #expect(before["pressed"] as? Int == 0 && after["pressed"] as? Int == kept)
        for (seen, place) in [(before, 0), (after, kept)] {
            let panels = seen["panels"] as? [Bool] ?? []
            #expect(panels.count { $0 } == 1 && panels[place], "\(seen)")
        }
        #expect(before["lost"] as? Int != after["lost"] as? Int)
        #expect((before["text"] as? String)?.contains("0000-0000000001.log") == true)
    }

    @Test func `the cells of a matrix are filtered and sorted, and 360 pixels are enough`() throws {
        let cells = """
            cells:
              - {target: engine, scenario: smoke, ops: 5, seed: 1-3}
              - {target: engine, scenario: smoke, ops: 5, seed: 4, expect: violation}
            """
        try Data(cells.utf8).write(to: URL(filePath: temporary.path + "/m.yaml"))
        let answer = try Faultline.run(
            ["matrix", "m.yaml", "--out", "runs", "--report", "html=m.html"], directory: temporary.path)
        #expect(answer.status == 2, "\(answer)")
        let seen = try browser.look(
            at: "m.html", width: 360,
            """
            const rows = [...document.querySelectorAll(".cells tbody tr")];
            const shown = () => rows.filter((row) => row.getBoundingClientRect().height > 0).length;
            const type = (text) => {
              const field = document.querySelector("[name=words]");
              field.value = text;
              field.dispatchEvent(new window.Event("input", { bubbles: true }));
            };
            const all = shown();
            type("seed 2");
            const filtered = shown();
            type("");
            document.querySelector("[name=outcome][value=pass]").click();
            const unexpected = shown();
            document.querySelector("[name=outcome][value=pass]").click();
            const heads = [...document.querySelectorAll(".cells th button")];
            const column = heads.findIndex((one) => one.textContent === "options");
            heads[column].click();
            heads[column].click();
            const order = [...document.querySelectorAll(".cells tbody tr")].map((row) => row.cells[column].textContent);
            return {
              all, filtered, unexpected, order, sort: document.querySelectorAll("th[aria-sort=descending]").length,
              framed: document.querySelectorAll(".grid td.unexpected").length,
              over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            };
            """)
        #expect(seen.console == [])
        #expect(seen.value["all"] as? Int == 4 && seen.value["filtered"] as? Int == 1, "\(seen.value)")
        #expect(seen.value["unexpected"] as? Int == 1 && seen.value["framed"] as? Int == 1, "\(seen.value)")
        let order = seen.value["order"] as? [String] ?? []
        #expect(order.count == 4 && order == order.sorted(by: >) && seen.value["sort"] as? Int == 1, "\(order)")
        #expect(seen.value["over"] as? Int == 0)
    }

    @Test func `hostile names and values run nothing`() throws {
        let hostile = "</script><script>window.pwned = 1</script><img src=x onerror=\"window.pwned = 2\"><!--\u{2028}"
        let mark = HTMLTimeline.Mark(event: 1, lane: 0, kind: .data, text: hostile, fate: "lost")
        var finding = HTMLFinding(number: 1, check: hostile, headline: hostile, verdict: HTMLVerdict(.violation))
        finding.hasTimeline = true
        finding.timeline = HTMLTimeline(
            id: "finding-1", lanes: [.init(name: hostile, kind: .file)], marks: [mark], walls: [],
            states: [.init(id: hostile, fates: [:], notes: [:], passes: false)], skippedEvents: 0, isKill: false,
            ending: hostile)
        finding.commands = [.init(purpose: hostile, text: "\"\u{301} onfocus=window.pwned=3 autofocus x=\"\u{301}")]
        var page = HTMLPage(title: hostile, verdict: HTMLVerdict(.violation))
        page.findings = [finding]
        let place = URL(filePath: temporary.path + "/hostile.html")
        try Data(try HTMLDocument.bytes(of: page)).write(to: place)
        let answer = try browser.look(
            at: "hostile.html",
            """
            await new Promise((done) => setTimeout(done, 200));
            return {
              isHarmed: window.pwned !== undefined, scripts: document.scripts.length, images: document.images.length,
              details: document.querySelector(".details").textContent, lanes: document.querySelectorAll(".plot .name").length,
            };
            """)
        #expect(answer.console == [])
        #expect(answer.value["isHarmed"] as? Bool == false, "\(answer.value)")
        #expect(answer.value["scripts"] as? Int == 2 && answer.value["images"] as? Int == 0)
        #expect((answer.value["details"] as? String)?.contains("</script><script>") == true, "it is shown as it is")
        #expect(answer.value["lanes"] as? Int == 1)
    }

    @Test(
        .enabled(if: Browser.axe != nil, "SKIPPED: axe-core is not there; scripts/setup-browser fetches it"),
        arguments: [false, true])
    func `axe finds nothing serious, in light and dark`(isDark: Bool) throws {
        try makeRun()
        let page = try String(contentsOfFile: temporary.path + "/run.html", encoding: .utf8)
        // Its own policy would refuse the checker.
        let open = page.replacing(
            #/<meta http-equiv="Content-Security-Policy"[^>]*>/#,
            with: "<script src=\"\(URL(filePath: try #require(Browser.axe)).absoluteString)\"></script>")
        try open.write(toFile: temporary.path + "/open.html", atomically: false, encoding: .utf8)
        let answer = try browser.look(
            at: "open.html", isDark: isDark,
            """
            for (const one of document.querySelectorAll("details")) one.open = true;
            const found = await window.axe.run(document, { resultTypes: ["violations"] });
            return {
              isDark: window.matchMedia("(prefers-color-scheme: dark)").matches, passes: found.passes.length,
              serious: found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
                .map((one) => one.id + ": " + one.nodes[0].html),
            };
            """)
        #expect(answer.value["isDark"] as? Bool == isDark)
        #expect((answer.value["passes"] as? Int ?? 0) > 10)
        #expect(answer.value["serious"] as? [String] == [])
    }
}
